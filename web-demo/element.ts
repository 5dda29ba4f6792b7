type Child = Node | string | undefined;
type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>;

/**
 * Makes an element. Attributes that are functions are listeners of the event of that name; `true` is an attribute
 * without value, `false` and `undefined` none. Children that are strings become text: nothing is parsed as HTML.
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** The same for SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
}

const focusable = "a[href], button, select, input";

/** Replaces what is in `parent`; the keyboard's focus stays at the control in the same place. */
export function replaceControls(parent: Element, ...children: readonly (Node | string)[]): void {
  const place = [...parent.querySelectorAll(focusable)].indexOf(document.activeElement ?? parent);
  parent.replaceChildren(...children);
  if (place >= 0) parent.querySelectorAll<HTMLElement>(focusable)[place]?.focus({ preventScroll: true });
}

export function button(text: string, click: () => void, attributes: Attributes = {}): HTMLButtonElement {
  return h("button", { type: "button", ...attributes, click }, text);
}

/** A labelled choice. */
export function select(
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  { value, change }: { value: string; change: (value: string) => void },
): HTMLLabelElement {
  const box = h("select", { change: () => change(box.value) });
  for (const [option, text] of options) box.append(h("option", { value: option, selected: option === value }, text));
  return h("label", { class: "choice" }, label, box);
}
