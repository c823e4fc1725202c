// A mean over a cohort, added up in float64 in the order of its items.

export class Mean {
  #sum = 0;
  #count = 0;

  add(value: number): void {
    this.#sum += value;
    this.#count++;
  }

  /** Values that were added. */
  get count(): number {
    return this.#count;
  }

  /** Undefined where nothing was added. */
  get value(): number | undefined {
    return this.#count > 0 ? this.#sum / this.#count : undefined;
  }
}
