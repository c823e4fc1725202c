// ONNX graphs made by hand.
import { attributeOf, type AttributeValue, constantOf, longs, tensorOf } from '../../engine/io/onnx/graph.ts';
import { DataType, encodeModel, type NodeProto, type TensorProto } from '../../engine/io/onnx/messages.ts';

/** Attributes of a node. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** A node: 'Conv x w b -> y'. '_' is an input that is left out. */
export function node(text: string, attributes: Attributes = {}, extra: Partial<NodeProto> = {}): NodeProto {
  const [from, to] = text.split(' -> ').map((part) => part.split(' '));
  const [opType, ...input] = from!;
  const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
  return {
    input: input.map((name) => (name === '_' ? '' : name)),
    output: to!,
    opType: opType!,
    name: `a ${opType}`,
    attribute,
    ...extra,
  };
}

const values = (n: number, scale = 1): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => scale * Math.sin(1 + 1.7 * i));
const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
/** A float32 weight; its values are some unless given. */
export const weight = (name: string, shape: readonly number[], data = values(count(shape), 0.5)): TensorProto =>
  tensorOf(constantOf(data, shape, 'float32'), name);
/** An int64 weight: axes, places, a shape. */
export const whole = (name: string, list: readonly number[], shape?: readonly number[]): TensorProto =>
  tensorOf(longs(list, shape), name);

/** A graph as a test writes it. */
export interface Graph {
  nodes: readonly NodeProto[];
  /** Shapes of the inputs x, x1, ...; a text for a size that varies. */
  inputs?: readonly (readonly (number | string)[])[];
  weights?: readonly TensorProto[];
  /** 'y', or 'y int64' where it is no float. */
  outputs?: readonly string[];
  opset?: number;
}

/** The file of a graph. */
export function modelOf({ nodes, inputs = [[2, 3]], weights = [], outputs = ['y'], opset = 17 }: Graph): Uint8Array {
  const info = (name: string, shape?: readonly (number | string)[], type = 'float') => ({
    name,
    type: {
      tensor: {
        elementType: DataType[type as 'float'],
        ...(shape && { shape: { dim: shape.map((n) => (typeof n === 'number' ? { value: n } : { param: n })) } }),
      },
    },
  });
  return encodeModel({
    irVersion: 8,
    graph: {
      node: nodes,
      name: 'made by hand',
      initializer: weights,
      input: inputs.map((shape, i) => info(i === 0 ? 'x' : `x${i}`, shape)),
      output: outputs.map((text) => info(text.split(' ')[0]!, undefined, text.split(' ')[1])),
    },
    opset: [{ domain: '', version: opset }],
    metadata: [],
  });
}
