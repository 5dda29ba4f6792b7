import { expect, test, vi } from "vitest";
import { KnownTexts } from "../../../serve/protocol/known-texts.ts";

test("a text is read once, and another text is another one", () => {
  const read = vi.fn((text: string) => ({ length: text.length }));
  const texts = new KnownTexts(read);
  const first = texts.meaningOf("four");
  expect(texts.meaningOf("four")).toBe(first);
  expect(texts.meaningOf("seven").length).toBe(5);
  expect(read.mock.calls).toEqual([["four"], ["seven"]]);
});

test("a text that cannot be read is refused each time", () => {
  const texts = new KnownTexts((text) => JSON.parse(text) as object);
  for (let i = 0; i < 2; i++) expect(() => texts.meaningOf("{")).toThrow(SyntaxError);
  expect(texts.size).toBe(0);
});

test("what will not come again, or is long, is not kept", () => {
  const texts = new KnownTexts(
    (text) => text,
    (text) => !text.startsWith("id"),
  );
  texts.meaningOf("id 1");
  texts.meaningOf("x".repeat(3000));
  expect(texts.size).toBe(0);
});

test("ever new texts do not fill the memory", () => {
  const texts = new KnownTexts((text) => text);
  for (let i = 0; i < 10_000; i++) texts.meaningOf(`text ${i}`);
  expect(texts.size).toBeLessThanOrEqual(256);
  expect(texts.meaningOf("text 1"), "one that was forgotten is read anew").toBe("text 1");
});
