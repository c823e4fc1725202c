// exportOnnx: a module as an ONNX model. The forward pass is traced (trace.ts), each of its operations becomes nodes (to/), and with a
// batch of any size two such graphs are laid over one another (batch.ts). Leaves out training: batch norm takes its running
// statistics and dropout is absent.
import type { DType } from '../../../kernels/index.ts';
import { countWithin, oneOf } from '../../checks.ts';
import { ConfigError, showGiven, ShapeError, showShape } from '../../errors.ts';
import type { Module } from '../../nn/module.ts';
import { checkShape, type Shape, sizeOf } from '../../shape.ts';
import type { Tensor } from '../../tensor.ts';
import { dimensionOf, overBatches } from './batch.ts';
import {
  type ConstantValues,
  constantOf,
  dataTypes,
  Graph,
  type GraphNode,
  type GraphOutput,
  rawValues,
} from './graph.ts';
import { type Dimension, encodeModel, type TensorProto } from './messages.ts';
import { protoNodes } from './nodes.ts';
import { Call, type Named, NamedValues, type Translate } from './to/call.ts';
import { elementwise } from './to/elementwise.ts';
import { images } from './to/images.ts';
import { layout } from './to/layout.ts';
import { lines } from './to/lines.ts';
import { trace, type Forward, type Trace, type Traced, type TracedInput } from './trace.ts';

/** An input of the model: its shape, or more than that. */
export type OnnxInput = Shape | { shape: Shape; name?: string; dtype?: DType };

/** How a module is exported. */
export interface ExportOnnxOptions {
  /** Version of the operators, 17 to 22. Default: 17, which every runtime of the last years has. */
  opset?: number | undefined;
  /** The name of a file beside the model for the weights; they are in the model itself unless it is given. */
  external?: string | undefined;
  /** The first axis of every input is the batch, and any size of it will do. Default: false. */
  dynamicBatch?: boolean | undefined;
  /** What is exported of the module: its `forward` on all inputs, unless this calls it otherwise. */
  forward?: Forward | undefined;
}

/** An exported model. */
export interface OnnxModel {
  /** The content of the .onnx file. */
  readonly model: Uint8Array;
  /** The content of the file of weights, where they are in one of their own. */
  readonly weights: Uint8Array | undefined;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const operation = 'exportOnnx';
const opsets = { from: 17, to: 22 };
/** The version of the format that came with an opset. */
const formatOf = (opset: number): number => (opset < 19 ? 8 : opset < 21 ? 9 : 10);
/** Tensors from this many bytes on lie in the file beside the model. */
const EXTERNAL_FROM = 1024;
/** So that a runtime may map the file into its memory. */
const EXTERNAL_ALIGNMENT = 4096;
/** A protocol buffer is shorter than 2 GiB. */
const MOST_BYTES = 2 ** 31 - 1;
/** Batches by which a graph for any batch is found: 1 would broadcast. */
const batches: readonly [number, number] = [2, 3];

/** How operations are written as nodes, by their names. Reshaping is not among them: it is how a value is read. */
export const translations: Readonly<Record<string, Translate>> = { ...elementwise, ...layout, ...images, ...lines };

const optionNames = ['opset', 'external', 'dynamicBatch', 'forward'];

function checkOptions(options: ExportOnnxOptions): void {
  const unknown = Object.keys(options).find((key) => !optionNames.includes(key));
  if (unknown === undefined) return;
  const expected = `one of ${optionNames.join(', ')}`;
  throw new ConfigError('there is no such option', { operation, argument: unknown, expected });
}

function inputsOf(given: readonly OnnxInput[]): TracedInput[] {
  if (!Array.isArray(given)) {
    const expected = 'an array with the shape of each input: [[1, 3, 224, 224]]';
    throw new ConfigError('not a list of inputs', { operation, argument: 'inputs', expected, given: showGiven(given) });
  }
  return given.map((each: OnnxInput, i) => {
    const about = 'shape' in each ? each : { shape: each };
    const { shape, name = given.length === 1 ? 'input' : `input_${i}`, dtype = 'float32' } = about;
    checkShape(operation, shape, `inputs[${i}]`);
    oneOf(operation, `inputs[${i}].dtype`, dtype, Object.keys(dataTypes));
    if (sizeOf(shape) > 0) return { name, shape: [...shape], dtype };
    const details = { operation, argument: `inputs[${i}]`, expected: 'sizes from 1' };
    throw new ShapeError('an input is empty', { ...details, given: showShape(shape) });
  });
}

const withBatch = (inputs: readonly TracedInput[], batch: number): TracedInput[] =>
  inputs.map((input, i) => {
    if (input.shape.length > 0) return { ...input, shape: input.shape.with(0, batch) };
    const details = { operation, argument: `inputs[${i}]`, expected: 'a batch as its first axis', given: 'a scalar' };
    throw new ShapeError('an input has no batch', details);
  });

/** Nodes, and the initializers that they read. */
interface Written {
  nodes: GraphNode[];
  initializers: Map<string, Tensor>;
  buffers: string[];
  outputs: GraphOutput[];
}

/** The constants of a pass from outside of the module, read from their devices. */
async function outsideValues({ calls, outputs }: Trace): Promise<Map<Traced, ConstantValues>> {
  const values = new Map<Traced, ConstantValues>();
  const uses = [...calls.flatMap(({ inputs }) => inputs), ...outputs.map(({ use }) => use)];
  for (const use of uses) {
    const value = use?.value;
    if (value?.source.kind !== 'outside' || values.has(value)) continue;
    values.set(value, constantOf(await value.source.tensor.array(), value.shape, value.dtype));
  }
  return values;
}

async function write(traced: Trace, inputs: readonly TracedInput[], opset: number): Promise<Written> {
  const graph = new Graph();
  const values = new NamedValues(graph);
  const outside = await outsideValues(traced);
  const initializers = new Map<string, Tensor>();
  const buffers: string[] = [];
  for (const { name } of inputs) graph.unique(name);
  const used = new Set(traced.calls.flatMap((call) => call.inputs.flatMap((use) => use?.value ?? [])));
  for (const { use } of traced.outputs) used.add(use.value);

  const constant = (value: ConstantValues): string =>
    graph.add('Constant', [], { layer: '', operation: 'a constant', attributes: { value } })[0]!;
  const make = (value: Traced): Named => {
    const { shape, dtype, source } = value;
    const name = ((): string => {
      switch (source.kind) {
        case 'input':
          return source.name;
        case 'state':
          initializers.set(source.name, source.tensor);
          if (source.isBuffer) buffers.push(source.name);
          return source.name;
        case 'written':
          return constant(constantOf(source.values, shape, dtype));
        case 'outside':
          return constant(outside.get(value)!);
        case 'filled': {
          const one = constantOf(Float64Array.of(source.with), [1], dtype);
          if (sizeOf(shape) === 1) return constant({ ...one, dims: shape });
          const about = { layer: '', operation: 'a constant', attributes: { value: one }, target: shape, from: [] };
          return graph.add('ConstantOfShape', [], about)[0]!;
        }
        case 'result': {
          const { operation: of, layer } = source.call;
          const which = source.output === 0 ? '' : `output ${source.output} of `;
          throw new ConfigError(`${which}'${of}' has no counterpart in ONNX`, { operation, given: `in '${layer}'` });
        }
      }
    })();
    const named = { name, shape, dtype };
    values.set(value, named);
    return named;
  };

  for (const call of traced.calls) {
    if (!call.outputs.some((output) => used.has(output))) continue;
    const at = new Call(call, { opset, graph, values, used, make });
    const translate = translations[call.operation];
    if (!translate) at.refuse('has no counterpart in ONNX', 'Leave it outside of what `forward` exports');
    translate(at);
  }
  const outputs = traced.outputs.map(({ name, use: { value, shape, dtype } }) => {
    const by = { layer: '', operation: 'an output' };
    const read = values.read(values.get(value) ?? make(value), shape, dtype, by);
    graph.add('Identity', [read], { ...by, output: graph.unique(name) });
    return { name, shape, dtype };
  });
  return { nodes: graph.nodes, initializers, buffers, outputs };
}

/** Weights as tensors of the model, the large ones in the file beside it if it has a name. */
async function tensorsOf(
  { initializers }: Written,
  external: string | undefined,
): Promise<{ tensors: TensorProto[]; weights: Uint8Array | undefined; bytes: number }> {
  const tensors: TensorProto[] = [];
  const parts: { at: number; raw: Uint8Array }[] = [];
  let [end, bytes] = [0, 0];
  for (const [name, tensor] of initializers) {
    const raw = rawValues(await tensor.array(), tensor.dtype);
    const head = { dims: tensor.shape, dataType: dataTypes[tensor.dtype], name };
    if (external === undefined || raw.length < EXTERNAL_FROM) {
      bytes += raw.length;
      tensors.push({ ...head, raw });
      continue;
    }
    const at = Math.ceil(end / EXTERNAL_ALIGNMENT) * EXTERNAL_ALIGNMENT;
    parts.push({ at, raw });
    end = at + raw.length;
    const place = { location: external, offset: String(at), length: String(raw.length) };
    const entries = Object.entries(place).map(([key, value]) => ({ key, value }));
    tensors.push({ ...head, external: entries, location: 1 });
  }
  if (external === undefined) return { tensors, weights: undefined, bytes };
  const weights = new Uint8Array(end);
  for (const { at, raw } of parts) weights.set(raw, at);
  return { tensors, weights, bytes };
}

const infoOf = (name: string, dtype: DType, dim: readonly Dimension[]) => ({
  name,
  type: { tensor: { elementType: dataTypes[dtype], shape: { dim } } },
});

/**
 * Exports a module in inference mode as an ONNX model for inputs of these shapes: `[[1, 3, 224, 224]]`, or
 * `{ shape, name, dtype }` for each. The forward pass is traced, so that any module of the engine's operations can be exported;
 * nothing is computed. Parameters keep their names, results their keys: a list gives `output_0`, `output_1`, a record its own.
 * With `external` the weights are in a file of their own, to be saved beside the model under that name.
 *
 * Throws ConfigError, with the operation and the layer, for an operation that ONNX has no counterpart of, for a graph that
 * depends on the batch otherwise than by its size (`dynamicBatch`), and for a model of 2 GiB or more without `external`.
 */
export async function exportOnnx(
  module: Module,
  inputs: readonly OnnxInput[],
  options: ExportOnnxOptions = {},
): Promise<OnnxModel> {
  checkOptions(options);
  const { opset = opsets.from, external, dynamicBatch = false } = options;
  countWithin(operation, 'opset', opset, opsets);
  const forward = options.forward ?? forwardOf(module);
  const given = inputsOf(inputs);
  const forBatch = async (batch: number | undefined) => {
    const sized = batch === undefined ? given : withBatch(given, batch);
    const traced = trace(module, sized, forward);
    try {
      return { ...(await write(traced, sized, opset)), inputs: sized };
    } finally {
      traced.release();
    }
  };
  const first = await forBatch(dynamicBatch ? batches[0] : undefined);
  const second = dynamicBatch ? await forBatch(batches[1]) : first;
  const nodes = dynamicBatch ? overBatches(first.nodes, second.nodes, batches) : first.nodes;
  if (!first.outputs.length) {
    throw new ConfigError('the forward pass returns no tensor', { operation, argument: 'forward' });
  }
  const dims = (a: Shape, b: Shape): Dimension[] => a.map((n, i) => dimensionOf(n, b[i]!, batches));
  const { tensors, weights, bytes } = await tensorsOf(first, external);
  if (bytes > MOST_BYTES) {
    throw new ConfigError('the weights are too large for one file', {
      operation,
      argument: 'external',
      expected: 'the name of a file for them',
      given: `${(bytes / 2 ** 30).toFixed(1)} GiB of weights`,
    });
  }
  const model = encodeModel({
    irVersion: formatOf(opset),
    producerName: 'wgrad',
    graph: {
      node: protoNodes(nodes, first.inputs[0]?.name),
      name: module.constructor.name || 'module',
      initializer: tensors,
      input: first.inputs.map(({ name, dtype, shape }, i) => infoOf(name, dtype, dims(shape, second.inputs[i]!.shape))),
      output: first.outputs.map(({ name, dtype, shape }, i) =>
        infoOf(name, dtype, dims(shape, second.outputs[i]!.shape)),
      ),
    },
    opset: [{ domain: '', version: opset }],
    metadata: [{ key: 'wgrad.buffers', value: JSON.stringify(first.buffers) }],
  });
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);
  return { model, weights, inputs: names(first.inputs), outputs: names(first.outputs) };
}

function forwardOf(module: Module): Forward {
  const { forward } = module as { forward?: unknown };
  if (typeof forward === 'function') return (...tensors) => (forward as Forward).apply(module, tensors);
  throw new ConfigError('the module has no forward', {
    operation,
    argument: 'forward',
    expected: 'a function of the inputs in the options',
    given: module.constructor.name,
  });
}
