// Values of a list that are made when they are asked for, and kept while there is room.

/** Makes each value of a list once, as long as what has been kept so far leaves room for it. */
export class Kept<T extends object> {
  readonly #make: (index: number) => T | Promise<T>;
  readonly #bytesOf: (value: T) => number;
  readonly #kept: (T | undefined)[] = [];
  #room: number;

  /** `room` is in bytes, as `bytesOf` counts them. */
  constructor(make: (index: number) => T | Promise<T>, bytesOf: (value: T) => number, room: number) {
    this.#make = make;
    this.#bytesOf = bytesOf;
    this.#room = room;
  }

  async read(index: number): Promise<T> {
    const kept = this.#kept[index];
    if (kept) return kept;
    const value = await this.#make(index);
    const bytes = this.#bytesOf(value);
    if (!this.#kept[index] && bytes <= this.#room) {
      this.#room -= bytes;
      this.#kept[index] = value;
    }
    return value;
  }
}
