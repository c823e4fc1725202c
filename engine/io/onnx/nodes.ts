// Nodes of a graph under construction as those of a file: shapes that nodes are given become inputs, sizes of the batch among them
// arithmetic on the shape of the first input; nodes that nothing reads are left out.
import { attributeOf, type GraphNode, longs, type Size } from './graph.ts';
import type { NodeProto } from './messages.ts';

const nodeOf = (
  op: string,
  name: string,
  input: readonly string[],
  output: readonly string[],
  attributes: GraphNode['attributes'] = {},
): NodeProto => ({
  input,
  output,
  name,
  opType: op,
  attribute: Object.entries(attributes).map(([key, value]) => attributeOf(key, value)),
});

/** A shape as a value, and the nodes that make it. */
function shapeInput({ name, target }: GraphNode, batchOf: string | undefined): { nodes: NodeProto[]; shape: string } {
  const nodes: NodeProto[] = [];
  const add = (op: string, part: string, input: string[], attributes: GraphNode['attributes'] = {}): string => {
    const own = `${name}.${part}`;
    nodes.push(nodeOf(op, own, input, [`${own}_y`], attributes));
    return `${own}_y`;
  };
  const constant = (values: readonly number[], part: string) => add('Constant', part, [], { value: longs(values) });
  const sizes = target as readonly Size[];
  if (sizes.every((size) => typeof size === 'number')) return { nodes, shape: constant(sizes, 'shape') };
  const whole = add('Shape', 'sizes', [batchOf!]);
  const batch = add('Gather', 'batch', [whole, constant([0], 'first')], { axis: 0 });
  const parts = sizes.map((size, i) => {
    if (typeof size === 'number') return constant([size], `size${i}`);
    return size.batches === 1 ? batch : add('Mul', `size${i}`, [batch, constant([size.batches], `times${i}`)]);
  });
  return { nodes, shape: add('Concat', 'shape', parts, { axis: 0 }) };
}

/** The nodes that outputs depend on; an Identity makes an output. */
function needed(nodes: readonly GraphNode[]): GraphNode[] {
  const read = new Set<string>();
  return nodes
    .toReversed()
    .filter(({ op, inputs, outputs, origin }) => {
      const isOutput = op === 'Identity' && origin.startsWith('an output');
      if (!isOutput && !outputs.some((name) => read.has(name))) return false;
      for (const name of inputs) read.add(name);
      return true;
    })
    .reverse();
}

/** The nodes as they stand in a file. `batchOf` is the input whose first size is the batch. */
export const protoNodes = (nodes: readonly GraphNode[], batchOf: string | undefined): NodeProto[] =>
  needed(nodes).flatMap((node) => {
    const { op, name, inputs, outputs, attributes, target } = node;
    if (!target) return [nodeOf(op, name, inputs, outputs, attributes)];
    const { nodes: before, shape } = shapeInput(node, batchOf);
    return [...before, nodeOf(op, name, [...inputs, shape], outputs, attributes)];
  });
