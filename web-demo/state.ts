/** The whole state of the page, kept in the URL's hash: the address is the share link. */

export type Values = Readonly<Record<string, string>>;

/** Keys that stay when the view or the model changes; the others belong to one view of one model. */
const lasting = ["view", "model", "backend", "seed"];

/** What a view may do with the address. */
export type ViewState = Pick<PageState, "get" | "set" | "go" | "link">;

export class PageState {
  #values: Values;
  #listeners: (() => void)[] = [];
  /** The address that `#values` was read from or written to. */
  #address: string;
  /** Navigations so far. */
  #visit = 0;

  constructor() {
    this.#address = location.hash;
    this.#values = parse(this.#address);
    addEventListener("hashchange", () => {
      this.#visit++;
      this.#address = location.hash;
      this.#values = parse(this.#address);
      for (const listener of this.#listeners) listener();
    });
  }

  get(key: string): string | undefined {
    return this.#values[key];
  }

  /** For the view that is opened now: what it sets once the page has gone on is dropped. */
  forView(): ViewState {
    const visit = this.#visit;
    return {
      get: (key) => this.get(key),
      set: (changes) => {
        if (visit === this.#visit) this.set(changes);
      },
      go: (changes) => this.go(changes),
      link: (changes) => this.link(changes),
    };
  }

  /**
   * Changes what is seen without a step in the browser's history: drags would fill it. Does nothing while a navigation is
   * on its way, whose event comes after the address has changed: it would be overwritten.
   */
  set(changes: Readonly<Record<string, string | undefined>>): void {
    if (location.hash !== this.#address) return;
    this.#values = withChanges(this.#values, changes);
    history.replaceState(null, "", `#${format(this.#values)}`);
    this.#address = location.hash;
  }

  /** Goes to another view or model: a step that "back" undoes, told to the listeners. */
  go(changes: Readonly<Record<string, string | undefined>>): void {
    const kept = Object.fromEntries(Object.entries(this.#values).filter(([key]) => lasting.includes(key)));
    location.hash = format(withChanges(kept, changes));
  }

  /** Address of another view of the same model. */
  link(changes: Readonly<Record<string, string | undefined>>): string {
    const kept = Object.fromEntries(Object.entries(this.#values).filter(([key]) => lasting.includes(key)));
    return `#${format(withChanges(kept, changes))}`;
  }

  /** When the address is changed by a link, "back", or `go`. */
  onNavigate(listener: () => void): void {
    this.#listeners.push(listener);
  }
}

function withChanges(values: Values, changes: Readonly<Record<string, string | undefined>>): Values {
  const entries = Object.entries({ ...values, ...changes }).filter((entry): entry is [string, string] => {
    const [, value] = entry;
    return value !== undefined && value !== "";
  });
  return Object.fromEntries(entries);
}

function parse(hash: string): Values {
  return Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
}

function format(values: Values): string {
  return new URLSearchParams(values).toString();
}
