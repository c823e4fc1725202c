// A graph for any batch, from two graphs of the same module for two batches: what is equal in both does not depend on the batch,
// and of the shapes that nodes are given, the sizes that differ are worked out when the graph runs.
import { ConfigError } from '../../errors.ts';
import type { Shape } from '../../shape.ts';
import type { ConstantValues, GraphNode, Size } from './graph.ts';

const refuse = (node: GraphNode, what: string): never => {
  throw new ConfigError(`${what} depends on the batch`, {
    operation: 'exportOnnx',
    argument: 'dynamicBatch',
    expected: 'a module that treats a batch of any size alike',
    given: `node '${node.name}' (${node.op}), from ${node.origin}`,
    hint: 'Without dynamicBatch it is exported for the batch of the shapes that are given',
  });
};

const isConstant = (value: unknown): value is ConstantValues =>
  typeof value === 'object' && value !== null && 'raw' in value;

function sameAttribute(a: unknown, b: unknown): boolean {
  if (!isConstant(a) || !isConstant(b)) return JSON.stringify(a) === JSON.stringify(b);
  return (
    JSON.stringify([a.dims, a.dataType]) === JSON.stringify([b.dims, b.dataType]) &&
    a.raw.length === b.raw.length &&
    a.raw.every((byte, i) => byte === b.raw[i])
  );
}

/** The target of a Reshape: 0 keeps a size of the input, -1 is what is left. */
function reshaped(node: GraphNode, a: Shape, b: Shape, other: GraphNode): readonly Size[] {
  const target = a.map((n, i) => {
    if (n === b[i]) return n;
    return node.from![i] === n && other.from![i] === b[i] ? 0 : -1;
  });
  const unknown = target.filter((n) => n === -1).length;
  if (unknown > 1) refuse(node, 'more than one size of a shape');
  return target;
}

/** The target of an Expand or ConstantOfShape: sizes of the batch are multiples of it. */
function expanded(node: GraphNode, a: Shape, b: Shape, other: GraphNode, batches: readonly [number, number]) {
  const offset = a.length - (node.from?.length ?? 0);
  return a.map((n, i): Size => {
    if (n === b[i]) return n;
    // The input has the size already, and 1 leaves it as it is.
    if (node.op === 'Expand' && node.from![i - offset] === n && other.from![i - offset] === b[i]) return 1;
    const times = n / batches[0];
    return Number.isInteger(times) && times * batches[1] === b[i] ? { batches: times } : refuse(node, 'a size');
  });
}

/** Lays two graphs over one another. Throws ConfigError, naming node and operation, for what depends on the batch otherwise. */
export function overBatches(
  first: readonly GraphNode[],
  second: readonly GraphNode[],
  batches: readonly [number, number],
): GraphNode[] {
  const merged = first.map((node, i) => {
    const other = second[i];
    const isSame = node.op === other?.op && node.inputs.join() === other.inputs.join() && node.name === other.name;
    if (!isSame) return refuse(node, 'which operations there are');
    const keys = Object.keys(node.attributes);
    const changed = keys.find((key) => !sameAttribute(node.attributes[key], other.attributes[key]));
    if (changed !== undefined) refuse(node, node.op === 'Constant' ? 'a constant' : `the attribute '${changed}'`);
    if (!node.target || !other.target) return node;
    const [a, b] = [node.target as Shape, other.target as Shape];
    const target = node.op === 'Reshape' ? reshaped(node, a, b, other) : expanded(node, a, b, other, batches);
    return { ...node, target };
  });
  if (second.length > first.length) refuse(second[first.length]!, 'which operations there are');
  return merged;
}

/** How a size is written in the shape of an input or output. */
export const dimensionOf = (a: number, b: number, batches: readonly [number, number]) => {
  if (a === b) return { value: a };
  const times = a / batches[0];
  return { param: times === 1 ? 'batch' : `${times} batch` };
};
