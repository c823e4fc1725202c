// A graph under construction: nodes with their constants beside them, not yet bytes. Shapes that nodes are given as inputs stay
// lists of numbers, so that two graphs of different batches can be laid over one another (batch.ts).
import type { DType } from '../../../kernels/index.ts';
import type { HostArray } from '../../devices/device.ts';
import type { Shape } from '../../shape.ts';
import { AttributeType, type AttributeProto, DataType, type TensorProto } from './messages.ts';

/** Values of a constant with their ONNX type. */
export interface ConstantValues {
  readonly dims: Shape;
  readonly dataType: number;
  readonly raw: Uint8Array;
}

export type AttributeValue = number | readonly number[] | string | { readonly float: number } | ConstantValues;

/** One size of a shape that a node is given: a number, or so many times the batch. */
export type Size = number | { readonly batches: number };

/** A node. `target` is a shape that becomes its last input. */
export interface GraphNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly target?: readonly Size[] | undefined;
  /** Of a node with a target: the shape of its first input. */
  readonly from?: Shape | undefined;
  /** The operation and layer that it comes from, for errors. */
  readonly origin: string;
}

export interface GraphOutput {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

export const dataTypes: Readonly<Record<DType, number>> = {
  float32: DataType.float,
  int32: DataType.int32,
  bool: DataType.bool,
};

const bytesOf = (values: Float32Array | Int32Array | BigInt64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Values of a tensor as ONNX stores them. */
export function rawValues(values: HostArray, dtype: DType): Uint8Array {
  if (dtype === 'bool') return Uint8Array.from(values, (n) => Number(n !== 0));
  if (dtype === 'int32') return bytesOf(Int32Array.from(values));
  return bytesOf(values instanceof Float32Array ? values : Float32Array.from(values));
}

export const constantOf = (values: HostArray, dims: Shape, dtype: DType): ConstantValues => ({
  dims,
  dataType: dataTypes[dtype],
  raw: rawValues(values, dtype),
});

/** Whole numbers as int64: axes, places, counts. */
export const longs = (values: readonly (number | bigint)[], dims: Shape = [values.length]): ConstantValues => ({
  dims,
  dataType: DataType.int64,
  raw: bytesOf(BigInt64Array.from(values, BigInt)),
});

export const tensorOf = ({ dims, dataType, raw }: ConstantValues, name?: string): TensorProto => ({
  dims,
  dataType,
  ...(name !== undefined && { name }),
  raw,
});

/** An attribute as ONNX writes it. A number is an int; { float } is a float. */
export function attributeOf(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === 'number') return { name, i: value, type: AttributeType.int };
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: AttributeType.string };
  if ('float' in value) return { name, f: value.float, type: AttributeType.float };
  if ('raw' in value) return { name, t: tensorOf(value), type: AttributeType.tensor };
  return { name, ints: value, type: AttributeType.ints };
}

/** Nodes in order, with names that no other has. */
export class Graph {
  readonly nodes: GraphNode[] = [];
  readonly #taken = new Map<string, number>();

  /** A name that begins like this and that nothing else has. */
  unique(wish: string): string {
    const count = this.#taken.get(wish) ?? 0;
    this.#taken.set(wish, count + 1);
    return count === 0 ? wish : this.unique(`${wish}_${count}`);
  }

  /** Adds a node and returns the names of its outputs. */
  add(
    op: string,
    inputs: readonly string[],
    {
      layer,
      operation,
      attributes = {},
      count = 1,
      target,
      from,
      output,
    }: {
      layer: string;
      operation: string;
      attributes?: Readonly<Record<string, AttributeValue>>;
      count?: number;
      target?: Shape;
      from?: Shape;
      /** The name of its one output, if it has to be a certain one. */
      output?: string;
    },
  ): readonly string[] {
    const name = this.unique(layer ? `${layer}.${op}` : op);
    const made = () => Array.from({ length: count }, (_, i) => this.unique(i === 0 ? `${name}_y` : `${name}_y${i}`));
    const outputs = output === undefined ? made() : [output];
    const origin = `${operation} in ${layer ? `'${layer}'` : 'the module itself'}`;
    this.nodes.push({ op, name, inputs, outputs, attributes, target, from, origin });
    return outputs;
  }
}
