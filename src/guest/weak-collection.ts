/** Objects that may be collected while they are in here. */
export class WeakCollection<T extends object> {
  readonly #known = new WeakSet<T>();
  #references: WeakRef<T>[] = [];
  #sweepAt = 64;

  add(object: T): void {
    if (this.#known.has(object)) return;
    this.#known.add(object);
    if (this.#references.length >= this.#sweepAt) {
      this.#references = this.#references.filter((reference) => reference.deref());
      this.#sweepAt = 64 + 2 * this.#references.length;
    }
    this.#references.push(new WeakRef(object));
  }

  /** Those that still exist. */
  all(): T[] {
    return this.#references.flatMap((reference) => reference.deref() ?? []);
  }
}
