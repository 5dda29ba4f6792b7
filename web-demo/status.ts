import type { Progress } from "./download.ts";
import { button, h } from "./element.ts";

/** Lines for the visitor: what went wrong, what runs instead, how far a download is. */

const place = (): HTMLElement => document.querySelector<HTMLElement>("#notices")!;

export function notice(text: string, { again }: { again?: () => void } = {}): void {
  const known = [...place().children].find((line) => line.querySelector("span")?.textContent === text);
  known?.remove();
  const line = h("p", { class: again === undefined ? "notice" : "notice fault" }, h("span", {}, text));
  if (again !== undefined) {
    line.append(
      button("Try again", () => {
        line.remove();
        again();
      }),
    );
  }
  line.append(button("Close", () => line.remove(), { class: "plain" }));
  place().append(line);
}

/** Faults are of the view that is left; notices, of the backend for instance, stay until they are closed. */
export function clearNotices(): void {
  for (const line of place().querySelectorAll(".fault")) line.remove();
}

export function progressBar(box: HTMLElement): (progress: Progress, what: string) => void {
  const bar = box.querySelector("progress")!;
  const text = box.querySelector("span")!;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return ({ loaded, total }, what) => {
    box.hidden = false;
    if (total === undefined) bar.removeAttribute("value");
    else bar.value = loaded / total;
    const megabytes = (loaded / 1e6).toFixed(1);
    text.textContent = `Loading ${what}: ${megabytes}${total === undefined ? "" : ` of ${(total / 1e6).toFixed(1)}`} MB`;
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        box.hidden = true;
      },
      total !== undefined && loaded >= total ? 400 : 10_000,
    );
  };
}
