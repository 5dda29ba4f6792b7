/**
 * What texts were found to mean, by the text itself: a client's requests differ in their tensors, and the JSON in front
 * of them is the same each time. To parse and check it cost the server 3 us a request.
 */
export class KnownTexts<T> {
  readonly #read: (text: string) => T;
  readonly #isKept: (value: T) => boolean;
  readonly #known = new Map<string, T>();

  /**
   * @param read what it returns must not be changed by anyone; what it throws is thrown again the next time
   * @param isKept false for a meaning that will not come again
   */
  constructor(read: (text: string) => T, isKept: (value: T) => boolean = () => true) {
    this.#read = read;
    this.#isKept = isKept;
  }

  get size(): number {
    return this.#known.size;
  }

  meaningOf(text: string): T {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const value = this.#read(text);
    if (text.length > longest || !this.#isKept(value)) return value;
    // Whoever sends ever new texts only costs the others one reading each.
    if (this.#known.size >= most) this.#known.clear();
    this.#known.set(text, value);
    return value;
  }
}

/** Characters: a JSON part without tensors has a few hundred. */
const longest = 2048;
const most = 256;
