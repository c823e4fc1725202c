// A reader of the pickles in which PyTorch saves weights. A pickle is a program for a stack machine that may call any function
// of Python; this one knows the few steps that tensors in dictionaries take, and calls nothing but the functions it is given.
// Every other opcode and name is refused with its place in the file.
import { DataError } from '../../index.ts';
import { showOpcode } from './opcodes.ts';

/** What a pickle may hold here; a tuple is an array, a dictionary a Map, and `undefined` is None. */
export type PickleValue =
  | undefined
  | boolean
  | number
  | bigint
  | string
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleGlobal
  | PickleObject;

/** A function or class of Python, by its name. */
export class PickleGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** What a function that `PickleFunctions` knows has made. */
export abstract class PickleObject {
  protected abstract readonly kind: string;
}

/** Functions by their full name in Python, such as `collections.OrderedDict`. */
export type PickleFunctions = Readonly<Record<string, (args: readonly PickleValue[]) => PickleValue>>;

/** What a pickle may refer to outside of itself. */
export interface PickleContext {
  /** Of the file, for messages. */
  readonly file: string;
  readonly functions: PickleFunctions;
  /** Names that may stand in the place of a value, such as the class of a storage. */
  readonly classes: ReadonlySet<string>;
  /** What a persistent id stands for. */
  persistent(id: PickleValue): PickleValue;
}

/** Marks a place on the stack. */
const MARK = Symbol('mark');
type Slot = PickleValue | typeof MARK;

const utf8 = new TextDecoder('utf-8', { fatal: true });
const latin1 = new TextDecoder('latin1');

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #context: PickleContext;
  readonly #stack: Slot[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at: number;
  /** Where the current opcode stands. */
  #opcodeAt = 0;

  constructor(bytes: Uint8Array, start: number, context: PickleContext) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#context = context;
  }

  run(): { value: PickleValue; end: number } {
    for (;;) {
      this.#opcodeAt = this.#at;
      const code = this.#byte();
      if (code === 0x2e) return { value: this.pop(), end: this.#at };
      const step = steps[code];
      if (!step)
        this.#fail(`the pickle has the opcode ${showOpcode(code)}, which the weights of a network do not need`);
      step(this);
    }
  }

  get #opcode(): string {
    return showOpcode(this.#bytes[this.#opcodeAt]!);
  }

  #fail(reason: string): never {
    throw new DataError(`${this.#context.file}, byte ${this.#opcodeAt}: ${reason}`, {
      hint: 'Nothing of it was executed. Save the weights again with torch.save(model.state_dict(), FILE)',
    });
  }

  /** Takes n bytes. */
  take(n: number): Uint8Array {
    if (!Number.isSafeInteger(n) || n < 0 || this.#at + n > this.#bytes.length) this.#fail('the pickle ends too early');
    this.#at += n;
    return this.#bytes.subarray(this.#at - n, this.#at);
  }

  #byte(): number {
    return this.take(1)[0]!;
  }

  uint(bytes: 1 | 2 | 4 | 8): number {
    this.take(bytes);
    const at = this.#at - bytes;
    if (bytes === 1) return this.#bytes[at]!;
    if (bytes === 2) return this.#view.getUint16(at, true);
    return bytes === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  int32(): number {
    this.take(4);
    return this.#view.getInt32(this.#at - 4, true);
  }

  float64(): number {
    this.take(8);
    return this.#view.getFloat64(this.#at - 8, false);
  }

  /** A whole number of n bytes in two's complement, lowest byte first. */
  long(n: number): number | bigint {
    const bytes = this.take(n);
    let value = 0n;
    for (let i = n - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    if (n && bytes[n - 1]! & 0x80) value -= 1n << BigInt(8 * n);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  text(n: number): string {
    const bytes = this.take(n);
    try {
      return utf8.decode(bytes);
    } catch {
      return this.#fail('the pickle has a text that is not UTF-8');
    }
  }

  /** Texts of Python 2, whose bytes may be anything. */
  bytesAsText(n: number): string {
    return latin1.decode(this.take(n));
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) this.#fail('the pickle ends too early');
    const line = latin1.decode(this.take(end - this.#at));
    this.#at = end + 1;
    return line;
  }

  push(value: Slot): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.length ? this.#stack.pop() : MARK;
    if (value === MARK) return this.#fail('the pickle takes what is not on its stack');
    return value;
  }

  /** What stands above the last mark, which is taken off too. */
  popToMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) this.#fail('the pickle takes what is not on its stack');
    const values = this.#stack.splice(at) as PickleValue[];
    return values.slice(1);
  }

  tuple(n: number): PickleValue[] {
    return Array.from({ length: n }, () => this.pop()).reverse();
  }

  append(values: readonly PickleValue[]): void {
    const list = this.pop();
    if (!Array.isArray(list)) this.#fail('the pickle appends to what is no list');
    for (const value of values) list.push(value);
    this.push(list);
  }

  setItems(values: readonly PickleValue[]): void {
    const map = this.pop();
    if (!(map instanceof Map) || values.length % 2) this.#fail('the pickle sets an item of what is no dictionary');
    for (let i = 0; i < values.length; i += 2) map.set(values[i], values[i + 1]);
    this.push(map);
  }

  put(index: number): void {
    const value = this.pop();
    this.#memo.set(index, value);
    this.push(value);
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    if (!this.#memo.has(index)) this.#fail('the pickle remembers what it has not seen');
    this.push(this.#memo.get(index));
  }

  global(module: PickleValue, name: PickleValue): void {
    const full = `${String(module)}.${String(name)}`;
    const { functions, classes } = this.#context;
    if (!Object.hasOwn(functions, full) && !classes.has(full)) {
      this.#fail(`the opcode ${this.#opcode} of the pickle names ${full}, which is not part of a state dict`);
    }
    this.push(new PickleGlobal(full));
  }

  reduce(): void {
    const [args, callee] = [this.pop(), this.pop()];
    const { functions } = this.#context;
    if (!(callee instanceof PickleGlobal) || !Object.hasOwn(functions, callee.name) || !Array.isArray(args)) {
      this.#fail(`the opcode ${this.#opcode} of the pickle calls what is no function of a state dict`);
    }
    this.push(functions[callee.name]!(args));
  }

  /** The attributes that torch adds to the dictionary (`_metadata`) are of no use here. */
  build(): void {
    this.pop();
    const made = this.pop();
    if (!(made instanceof Map)) this.#fail('the pickle sets attributes of what is no dictionary');
    this.push(made);
  }

  persistent(id: PickleValue): void {
    this.push(this.#context.persistent(id));
  }

  protocol(version: number): void {
    if (version > 5) this.#fail(`the pickle has protocol ${version}`);
  }
}

const steps: Readonly<Record<number, (m: Machine) => void>> = {
  [0x80]: (m) => m.protocol(m.uint(1)), // PROTO
  [0x95]: (m) => void m.uint(8), // FRAME
  [0x28]: (m) => m.push(MARK), // MARK
  [0x30]: (m) => void m.pop(), // POP
  [0x4e]: (m) => m.push(undefined), // NONE
  [0x88]: (m) => m.push(true), // NEWTRUE
  [0x89]: (m) => m.push(false), // NEWFALSE
  [0x4a]: (m) => m.push(m.int32()), // BININT
  [0x4b]: (m) => m.push(m.uint(1)), // BININT1
  [0x4d]: (m) => m.push(m.uint(2)), // BININT2
  [0x8a]: (m) => m.push(m.long(m.uint(1))), // LONG1
  [0x47]: (m) => m.push(m.float64()), // BINFLOAT
  [0x58]: (m) => m.push(m.text(m.uint(4))), // BINUNICODE
  [0x8c]: (m) => m.push(m.text(m.uint(1))), // SHORT_BINUNICODE
  [0x54]: (m) => m.push(m.bytesAsText(m.uint(4))), // BINSTRING
  [0x55]: (m) => m.push(m.bytesAsText(m.uint(1))), // SHORT_BINSTRING
  [0x29]: (m) => m.push([]), // EMPTY_TUPLE
  [0x74]: (m) => m.push(m.popToMark()), // TUPLE
  [0x85]: (m) => m.push(m.tuple(1)), // TUPLE1
  [0x86]: (m) => m.push(m.tuple(2)), // TUPLE2
  [0x87]: (m) => m.push(m.tuple(3)), // TUPLE3
  [0x5d]: (m) => m.push([]), // EMPTY_LIST
  [0x61]: (m) => m.append([m.pop()]), // APPEND
  [0x65]: (m) => m.append(m.popToMark()), // APPENDS
  [0x7d]: (m) => m.push(new Map()), // EMPTY_DICT
  [0x73]: (m) => m.setItems(m.tuple(2)), // SETITEM
  [0x75]: (m) => m.setItems(m.popToMark()), // SETITEMS
  [0x63]: (m) => m.global(m.line(), m.line()), // GLOBAL
  [0x93]: (m) => m.global(...(m.tuple(2) as [PickleValue, PickleValue])), // STACK_GLOBAL
  [0x52]: (m) => m.reduce(), // REDUCE
  [0x62]: (m) => m.build(), // BUILD
  [0x51]: (m) => m.persistent(m.pop()), // BINPERSID
  [0x71]: (m) => m.put(m.uint(1)), // BINPUT
  [0x72]: (m) => m.put(m.uint(4)), // LONG_BINPUT
  [0x94]: (m) => m.memoize(), // MEMOIZE
  [0x68]: (m) => m.get(m.uint(1)), // BINGET
  [0x6a]: (m) => m.get(m.uint(4)), // LONG_BINGET
};

/**
 * Reads the pickle that starts at a byte; `end` is the byte behind it. Throws DataError, naming the file and the byte, for an
 * opcode or a name that is not known, and where the pickle is damaged.
 */
export function readPickle(bytes: Uint8Array, start: number, context: PickleContext) {
  return new Machine(bytes, start, context).run();
}
