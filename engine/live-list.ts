// What is alive now, as a list of linked places. Not a Set: one that grows and shrinks in every step leaves tables behind that point to
// their successors, and once the first of them is old, V8 keeps all of them, with their members, until it collects everything:
// half of a step's garbage outlived the collections of young objects.

/** Where a member stands. */
export interface LivePlace<T> {
  readonly item: T;
  before: LivePlace<T> | undefined;
  after: LivePlace<T> | undefined;
}

export class LiveList<T> {
  size = 0;
  #last: LivePlace<T> | undefined;

  /** Returns the place by which the member is taken out again. */
  add(item: T): LivePlace<T> {
    const place: LivePlace<T> = { item, before: this.#last, after: undefined };
    if (this.#last) this.#last.after = place;
    this.#last = place;
    this.size++;
    return place;
  }

  /** Takes a member out, once. */
  remove(place: LivePlace<T>): void {
    const { before, after } = place;
    if (before) before.after = after;
    if (after) after.before = before;
    else this.#last = before;
    // Who is gone keeps nobody.
    place.before = place.after = undefined;
    this.size--;
  }

  /** From the newest to the oldest. */
  *[Symbol.iterator](): Iterator<T> {
    for (let place = this.#last; place; place = place.before) yield place.item;
  }
}
