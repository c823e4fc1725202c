// Memory that invocations share: a buffer or a workgroup variable, in words. Each access of a writable one is compared with the last
// ones of the same word: two of different invocations, one of them a write, with no barrier between them are a data race. Within
// a workgroup a barrier of the memory's own address space orders accesses; between workgroups of one dispatch nothing does.
// Kept per word: the last write, the last reads of two invocations, and the last read of an earlier workgroup. Workgroups run one after the
// other, so that no race between what did run is missed but such as follow one that is reported.

/** Told of a race: the places in the text and the invocations of this access and of the earlier one. */
export type OnRace = (
  memory: Memory,
  word: number,
  site: number,
  other: number,
  otherSite: number,
  isWrite: boolean,
) => void;

/** One access of the invocation that is watched. */
export interface Access {
  readonly memory: string;
  readonly word: number;
  readonly value: number;
  readonly isWrite: boolean;
}

/** What runs now: shared by all memories of a dispatch. */
export interface Now {
  /** The number of the invocation in the dispatch, and of the first one of its workgroup. */
  invocation: number;
  first: number;
  /** Counts workgroups and barriers, by address space. */
  epoch: { readonly workgroup: number; readonly storage: number };
  /** Set while the invocation that is watched runs. */
  watch: ((access: Access) => void) | undefined;
}

const EMPTY = new ArrayBuffer(0);

/** Invocations are kept plus one, so that 0 is none. */
class Shadow {
  readonly writer: Int32Array;
  readonly writeEpoch: Int32Array;
  readonly writeSite: Int32Array;
  readonly reader: Int32Array;
  readonly readEpoch: Int32Array;
  readonly readSite: Int32Array;
  readonly second: Int32Array;
  readonly secondEpoch: Int32Array;
  readonly secondSite: Int32Array;
  readonly foreign: Int32Array;
  readonly foreignSite: Int32Array;

  constructor(words: number) {
    const table = (): Int32Array => new Int32Array(words);
    this.writer = table();
    this.writeEpoch = table();
    this.writeSite = table();
    this.reader = table();
    this.readEpoch = table();
    this.readSite = table();
    this.second = table();
    this.secondEpoch = table();
    this.secondSite = table();
    this.foreign = table();
    this.foreignSite = table();
  }
}

export class Memory {
  readonly name: string;
  words = 0;
  floats = new Float32Array(EMPTY);
  ints = new Int32Array(EMPTY);
  uints = new Uint32Array(EMPTY);
  readonly #space: 'workgroup' | 'storage' | 'uniform';
  readonly #isWritable: boolean;
  readonly #now: Now;
  readonly #onRace: OnRace;
  #shadow: Shadow | undefined;

  constructor(name: string, space: 'workgroup' | 'storage' | 'uniform', isWritable: boolean, now: Now, onRace: OnRace) {
    this.name = name;
    this.#space = space;
    this.#isWritable = isWritable;
    this.#now = now;
    this.#onRace = onRace;
  }

  /** Stands for these bytes from now on, of which no invocation has accessed any. */
  bind(bytes: ArrayBuffer, offset = 0, length = bytes.byteLength - offset): void {
    this.words = length >> 2;
    this.floats = new Float32Array(bytes, offset, this.words);
    this.ints = new Int32Array(bytes, offset, this.words);
    this.uints = new Uint32Array(bytes, offset, this.words);
    this.#shadow = this.#isWritable ? new Shadow(this.words) : undefined;
  }

  /** Reads of a word as a number of one type; `site` is the place in the text. */
  f(word: number, site: number): number {
    const value = this.floats[word]!;
    this.#read(word, site, value);
    return value;
  }
  i(word: number, site: number): number {
    const value = this.ints[word]!;
    this.#read(word, site, value);
    return value;
  }
  u(word: number, site: number): number {
    const value = this.uints[word]!;
    this.#read(word, site, value);
    return value;
  }

  /** Writes. */
  sf(word: number, value: number, site: number): void {
    this.floats[word] = value;
    this.#write(word, site, value);
  }
  si(word: number, value: number, site: number): void {
    this.ints[word] = value;
    this.#write(word, site, value);
  }
  su(word: number, value: number, site: number): void {
    this.uints[word] = value;
    this.#write(word, site, value);
  }

  /** Writes of one component of a vector, which may touch the others. */
  pf(vector: number, words: number, component: number, value: number, site: number): void {
    this.sf(vector + component, value, site);
    this.#touch(vector, words, component, site);
  }
  pi(vector: number, words: number, component: number, value: number, site: number): void {
    this.si(vector + component, value, site);
    this.#touch(vector, words, component, site);
  }
  pu(vector: number, words: number, component: number, value: number, site: number): void {
    this.su(vector + component, value, site);
    this.#touch(vector, words, component, site);
  }

  #touch(vector: number, words: number, component: number, site: number): void {
    for (let i = 0; i < words; i++) if (i !== component) this.#write(vector + i, site);
  }

  /** Whether an earlier access, of invocation `other` less one, is not ordered before one of the invocation that runs. */
  #isOpen(other: number, epoch: number): boolean {
    const { invocation, first } = this.#now;
    if (other === 0 || other === invocation + 1) return false;
    if (this.#space === 'workgroup') return epoch === this.#now.epoch.workgroup;
    return epoch === this.#now.epoch.storage || other <= first;
  }

  #read(word: number, site: number, value: number): void {
    const shadow = this.#shadow;
    const { invocation, first, epoch, watch } = this.#now;
    watch?.({ memory: this.name, word, value, isWrite: false });
    if (!shadow) return;
    if (this.#isOpen(shadow.writer[word]!, shadow.writeEpoch[word]!)) {
      this.#onRace(this, word, site, shadow.writer[word]! - 1, shadow.writeSite[word]!, false);
    }
    const last = shadow.reader[word]!;
    if (last !== 0 && last !== invocation + 1) {
      if (last <= first) {
        shadow.foreign[word] = last;
        shadow.foreignSite[word] = shadow.readSite[word]!;
      } else {
        shadow.second[word] = last;
        shadow.secondEpoch[word] = shadow.readEpoch[word]!;
        shadow.secondSite[word] = shadow.readSite[word]!;
      }
    }
    shadow.reader[word] = invocation + 1;
    shadow.readEpoch[word] = this.#space === 'workgroup' ? epoch.workgroup : epoch.storage;
    shadow.readSite[word] = site;
  }

  #write(word: number, site: number, value?: number): void {
    const shadow = this.#shadow;
    const { invocation, epoch, watch } = this.#now;
    if (value !== undefined) watch?.({ memory: this.name, word, value, isWrite: true });
    if (!shadow) return;
    if (this.#isOpen(shadow.writer[word]!, shadow.writeEpoch[word]!)) {
      this.#onRace(this, word, site, shadow.writer[word]! - 1, shadow.writeSite[word]!, true);
    } else if (this.#isOpen(shadow.reader[word]!, shadow.readEpoch[word]!)) {
      this.#onRace(this, word, site, shadow.reader[word]! - 1, shadow.readSite[word]!, true);
    } else if (this.#isOpen(shadow.second[word]!, shadow.secondEpoch[word]!)) {
      this.#onRace(this, word, site, shadow.second[word]! - 1, shadow.secondSite[word]!, true);
    } else if (this.#space === 'storage' && shadow.foreign[word] !== 0) {
      this.#onRace(this, word, site, shadow.foreign[word]! - 1, shadow.foreignSite[word]!, true);
    }
    shadow.writer[word] = invocation + 1;
    shadow.writeEpoch[word] = this.#space === 'workgroup' ? epoch.workgroup : epoch.storage;
    shadow.writeSite[word] = site;
  }
}
