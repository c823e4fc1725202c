// A node of a file on its way to operations: its attributes when the model is read, its values when it runs. Values are tensors,
// or numbers on the host: shapes and what is computed of them.
import { cast, type DType, DataError, type ErrorDetails, tensor, Tensor } from '../../../index.ts';
import type { Device } from '../../../devices/device.ts';
import { type Shape } from '../../../shape.ts';
import { AttributeType, type AttributeProto, type NodeProto, type TensorProto } from '../messages.ts';
import type { Host } from '../tensor-data.ts';

export type Value = Tensor | Host;

export const isHost = (value: Value): value is Host => !(value instanceof Tensor);

const dtypes: Readonly<Record<Host['kind'], DType>> = { float: 'float32', int: 'int32', bool: 'bool' };
const LARGEST_INT = 2 ** 31 - 1;

/** Values on the host as a tensor; whole numbers beyond int32 are its limits. */
export function tensorOnto({ kind, shape, values }: Host, device: Device): Tensor {
  const limited = kind === 'int' ? values.map((n) => Math.max(-LARGEST_INT - 1, Math.min(LARGEST_INT, n))) : values;
  return tensor(limited, shape, { dtype: dtypes[kind], device });
}

/** What a run knows beside values: the device, and the tensors of the model's constants on it. */
export interface Run {
  readonly device: Device;
  /** A tensor of values on the host, which stays for the next run where the model holds them. */
  tensorOf(host: Host, make: () => Tensor): Tensor;
}

/** The values that a node is given, by position. */
export class Inputs {
  readonly #values: readonly (Value | undefined)[];
  readonly #node: FileNode;
  readonly #run: Run;

  constructor(values: readonly (Value | undefined)[], node: FileNode, run: Run) {
    this.#values = values;
    this.#node = node;
    this.#run = run;
  }

  get count(): number {
    return this.#values.length;
  }

  get device(): Device {
    return this.#run.device;
  }

  has(i: number): boolean {
    return this.#values[i] !== undefined;
  }

  value(i: number): Value {
    return this.#values[i] ?? this.#node.refuse(`input ${i} is missing`);
  }

  areHost(): boolean {
    return this.#values.every((value) => value === undefined || isHost(value));
  }

  /** A value as a tensor; whole numbers become int32. */
  tensor(i: number, dtype?: DType): Tensor {
    const value = this.value(i);
    const x = isHost(value) ? this.#run.tensorOf(value, () => tensorOnto(value, this.#run.device)) : value;
    return dtype === undefined || x.dtype === dtype ? x : cast(x, dtype);
  }

  optional(i: number): Tensor | undefined {
    return this.has(i) ? this.tensor(i) : undefined;
  }

  shape(i: number): Shape {
    return this.value(i).shape;
  }

  host(i: number, what: string): Host {
    const value = this.value(i);
    return isHost(value) ? value : this.#node.refuse(`${what} must not depend on the values of tensors`);
  }

  /** A list of numbers that must be known: axes, a shape. */
  numbers(i: number, what: string): number[] {
    return Array.from(this.host(i, what).values);
  }

  number(i: number, what: string): number {
    const { values } = this.host(i, what);
    return values.length === 1 ? values[0]! : this.#node.refuse(`${what} must be one number`, String(values.length));
  }
}

/** Runs a node. */
export type Step = (inputs: Inputs) => Value | readonly Value[];

/** What an attribute of a tensor gives, read before. */
export type ReadAttribute = (tensor: TensorProto) => Host;

const kinds: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(AttributeType).map(([name, code]) => [code, name]),
);

/** A node as the file has it. Attributes that are asked for are known; all others are refused. */
export class FileNode {
  readonly op: string;
  readonly opset: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly #label: string;
  readonly #attributes: ReadonlyMap<string, AttributeProto>;
  readonly #known = new Set<string>();
  readonly #tensors: ReadonlyMap<TensorProto, Host>;

  constructor(proto: NodeProto, file: string, opset: number, tensors: ReadonlyMap<TensorProto, Host>) {
    this.op = proto.opType ?? '';
    this.opset = opset;
    this.inputs = proto.input;
    this.outputs = proto.output;
    this.#label = labelOf(proto, file);
    this.#attributes = new Map(proto.attribute.map((each) => [each.name ?? '', each]));
    this.#tensors = tensors;
  }

  /** Throws DataError with file, node and operator. */
  refuse(reason: string, given?: string, details: ErrorDetails = {}): never {
    throw new DataError(`${this.#label}: ${reason}`, { ...details, ...(given !== undefined && { given }) });
  }

  /** The number of outputs that are named. */
  get wanted(): number {
    return this.outputs.findLastIndex((name) => name !== '') + 1;
  }

  #attribute(name: string, type: keyof typeof AttributeType): AttributeProto | undefined {
    this.#known.add(name);
    const found = this.#attributes.get(name);
    if (!found || found.type === undefined || found.type === AttributeType[type]) return found;
    return this.refuse(`the attribute '${name}' is of another type`, kinds[found.type] ?? `type ${found.type}`, {
      expected: type,
    });
  }

  int(name: string, otherwise: number): number {
    const found = this.#attribute(name, 'int');
    return found ? (found.i ?? 0) : otherwise;
  }

  flag(name: string, otherwise = false): boolean {
    return this.int(name, Number(otherwise)) !== 0;
  }

  float(name: string, otherwise: number): number {
    const found = this.#attribute(name, 'float');
    return found ? (found.f ?? 0) : otherwise;
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name, 'ints')?.ints;
  }

  floats(name: string): readonly number[] | undefined {
    return this.#attribute(name, 'floats')?.floats;
  }

  text(name: string, otherwise: string): string {
    const found = this.#attribute(name, 'string');
    return found ? new TextDecoder().decode(found.s) : otherwise;
  }

  tensor(name: string): Host | undefined {
    const found = this.#attribute(name, 'tensor')?.t;
    return found && this.#tensors.get(found);
  }

  /** An attribute of which one value alone can be had here. */
  only(name: string, value: number | string, otherwise: number | string = value): void {
    const given = typeof value === 'number' ? this.int(name, otherwise as number) : this.text(name, String(otherwise));
    if (given === value) return;
    this.refuse(`the attribute '${name}' is supported with the value ${value} only`, String(given));
  }

  /** Attributes that do not matter here. */
  ignore(...names: string[]): void {
    for (const name of names) this.#known.add(name);
  }

  /** Refuses attributes that nobody asked for. */
  checkAttributes(): void {
    for (const name of this.#attributes.keys()) {
      if (!this.#known.has(name)) this.refuse(`the attribute '${name}' is not supported`);
    }
  }
}

/** The name of a node for messages: its own, or that of what it makes. */
export function labelOf({ name, opType, output }: NodeProto, file: string): string {
  const own = name ? `node '${name}'` : `the node that makes '${output[0] ?? ''}'`;
  return `${file}: ${own} (${opType ?? 'no operator'})`;
}

/** Reads the attributes of a node and gives what runs it. */
export interface Operator {
  read(node: FileNode): Step;
  /** Inputs that are numbers on the host, such as shapes: a weight there is a constant. */
  readonly host?: readonly number[];
  /** Inputs that are not trained: running statistics. */
  readonly buffers?: readonly number[];
}

export type Operators = Readonly<Record<string, Operator>>;
