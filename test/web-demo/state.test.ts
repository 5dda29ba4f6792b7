import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PageState } from "../../web-demo/state.ts";

/** The address as the state of the page, on a stand-in for the browser whose event of a change comes when it is told. */

let hash: string;
let changed: () => void;

beforeEach(() => {
  hash = "#view=two-views&model=a&first=3";
  vi.stubGlobal("location", {
    get hash() {
      return hash;
    },
    set hash(text: string) {
      hash = `#${text}`;
    },
  });
  vi.stubGlobal("history", {
    replaceState(_data: unknown, _title: string, address: string) {
      hash = address;
    },
  });
  vi.stubGlobal("addEventListener", (_kind: string, listener: () => void) => {
    changed = listener;
  });
});
afterEach(() => vi.unstubAllGlobals());

test("what is set is in the address, and nothing is navigated", () => {
  const state = new PageState();
  const heard = vi.fn();
  state.onNavigate(heard);
  state.set({ first: "4", swap: "1" });
  state.set({ swap: undefined });
  expect(hash).toBe("#view=two-views&model=a&first=4");
  expect(state.get("first")).toBe("4");
  expect(heard).not.toHaveBeenCalled();
});

test("another model keeps view and seed, and drops what belongs to the view of the old one", () => {
  const state = new PageState();
  state.go({ model: "b" });
  changed();
  expect(hash).toBe("#view=two-views&model=b");
  expect(state.get("first")).toBeUndefined();
});

test("a navigation is not overwritten by a view that is still loading when it is left", () => {
  const state = new PageState();
  const view = state.forView();
  state.go({ model: "b" });
  view.set({ first: "7" }); // between the change of the address and its event
  changed();
  view.set({ first: "8" }); // after it
  expect(hash).toBe("#view=two-views&model=b");
  expect(state.get("model")).toBe("b");
  state.forView().set({ first: "9" });
  expect(hash).toBe("#view=two-views&model=b&first=9");
});
