// importOnnx: an ONNX model of operations that the engine has, as a module. All that can be refused is refused when the file is read:
// operators, attributes, weights. What depends on the shapes of the inputs is found when it runs.
import { ConfigError, DataError, defaultDevice, nn, parameter, type Tensor } from '../../index.ts';
import type { Device } from '../../devices/device.ts';
import { sizeOf } from '../../shape.ts';
import { contentOf, foreignFile } from '../content.ts';
import { readWhole } from '../files.ts';
import { elementwise } from './from/elementwise.ts';
import { images } from './from/images.ts';
import { layout } from './from/layout.ts';
import { lines } from './from/lines.ts';
import { FileNode, Inputs, isHost, labelOf, type Operators } from './from/node.ts';
import { resizing } from './from/resize.ts';
import { decodeModel, type GraphProto, type ModelProto, type NodeProto, type ValueInfoProto } from './messages.ts';
import { OnnxModule, type OnnxValue, type PlannedNode } from './module.ts';
import { type Host, kindOf, type ReadBeside, readTensor } from './tensor-data.ts';

/** The content of a file: bytes, or a Blob or File of a browser. */
export type OnnxBytes = ArrayBuffer | Uint8Array | Blob;

/** A path in Node, or the content. */
export type OnnxSource = string | OnnxBytes;

/** How a model is imported. */
export interface ImportOnnxOptions {
  /** The file's name for messages, where the content is given. */
  name?: string | undefined;
  /** Gives a file of weights that the model names. Default: the file of that name beside the model, in Node. */
  external?: ((name: string) => OnnxSource | Promise<OnnxSource>) | undefined;
  /** Where the weights go. Default: the default device. */
  device?: Device | undefined;
  /** Which weights are parameters, by name; others are buffers. Default: all but running statistics. */
  trainable?: ((name: string) => boolean) | undefined;
}

const operators: Operators = { ...elementwise, ...images, ...layout, ...lines, ...resizing };

/** Operators of ONNX that are read, by name. */
export const onnxOperators: readonly string[] = Object.keys(operators).sort();

const operation = 'importOnnx';
const opsets = { from: 7, to: 24 };
const optionNames = ['name', 'external', 'device', 'trainable'];

async function bytesOf(source: OnnxSource): Promise<Uint8Array> {
  if (typeof source === 'string') return readWhole(source);
  if (source instanceof Uint8Array) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof Blob === 'function' && source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  throw new ConfigError('not a model', {
    operation,
    argument: 'source',
    expected: 'a path, bytes in a Uint8Array or ArrayBuffer, or a Blob',
    given: Object.prototype.toString.call(source).slice('[object '.length, -1),
  });
}

function decoded(bytes: Uint8Array, file: string): ModelProto & { graph: GraphProto } {
  if (contentOf(bytes)) throw foreignFile(file, bytes, 'an ONNX model');
  let model: ModelProto;
  try {
    model = decodeModel(bytes);
  } catch (cause) {
    throw new DataError(`${file}: not an ONNX model, or a damaged one`, {
      given: `${bytes.length} bytes (${(cause as Error).message})`,
      hint: 'A download that was cut off ends in the middle of a tensor: compare its size',
      cause,
    });
  }
  const { graph } = model;
  if (graph?.node.length) return { ...model, graph };
  throw new DataError(`${file}: not an ONNX model, or one without nodes`, { given: `${bytes.length} bytes` });
}

function opsetOf({ opset }: ModelProto, file: string): number {
  const version = opset.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version;
  if (version !== undefined && version >= opsets.from && version <= opsets.to) return version;
  throw new DataError(`${file}: its opset is not read`, {
    expected: `${opsets.from} to ${opsets.to}`,
    given: version === undefined ? 'none' : String(version),
    hint: 'Convert the model to another opset with the program that wrote it',
  });
}

function valueOf({ name = '', type }: ValueInfoProto, file: string): OnnxValue {
  const kind = kindOf(type?.tensor?.elementType);
  if (!kind) {
    const given = type?.tensor ? `type ${type.tensor.elementType}` : 'no tensor';
    throw new DataError(`${file}: the input or output '${name}' is not of an element type that is read`, { given });
  }
  const dtype = ({ float: 'float32', int: 'int32', bool: 'bool' } as const)[kind];
  return { name, dtype, shape: type?.tensor?.shape?.dim.map(({ value, param }) => value ?? (param || undefined)) };
}

/** The tensors among attributes, read before the nodes are. */
async function attributeTensors(nodes: readonly NodeProto[], file: string, beside: ReadBeside) {
  const tensors = new Map<object, Host>();
  for (const node of nodes) {
    for (const { t, name } of node.attribute) {
      if (t) tensors.set(t, await readTensor(t, `${labelOf(node, file)}: the attribute '${name}'`, beside));
    }
  }
  return tensors;
}

/** How the nodes read an initializer. */
interface Reading {
  asTensor: boolean;
  asBuffer: boolean;
}

function readings(nodes: readonly NodeProto[]): Map<string, Reading> {
  const found = new Map<string, Reading>();
  for (const { opType = '', input } of nodes) {
    const { host = [], buffers = [] } = operators[opType] ?? {};
    input.forEach((name, i) => {
      const before = found.get(name) ?? { asTensor: false, asBuffer: false };
      const asTensor = before.asTensor || !host.includes(i);
      found.set(name, { asTensor, asBuffer: before.asBuffer || buffers.includes(i) });
    });
  }
  return found;
}

function bufferOf({ values, shape }: Host, device: Device): nn.Buffer {
  const storage = device.allocate(sizeOf(shape), 'float32');
  device.write(storage, values);
  return new nn.Buffer(storage, [...shape]);
}

/** Names that a model of wgrad says are not trained. */
function ownBuffers({ metadata }: ModelProto): ReadonlySet<string> {
  const text = metadata.find(({ key }) => key === 'wgrad.buffers')?.value;
  try {
    const names: unknown = JSON.parse(text ?? '[]');
    return new Set(Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []);
  } catch {
    return new Set();
  }
}

/** The nodes in order, each with what runs it; constants go to the values on the host. */
function plan(
  graph: GraphProto,
  file: string,
  opset: number,
  { tensors, hosts, known }: { tensors: ReadonlyMap<object, Host>; hosts: Map<string, Host>; known: Set<string> },
): PlannedNode[] {
  const planned: PlannedNode[] = [];
  for (const proto of graph.node) {
    const node = new FileNode(proto, file, opset, tensors);
    const isOurs = (proto.domain ?? '') === '' || proto.domain === 'ai.onnx';
    const operator = isOurs && Object.hasOwn(operators, node.op) ? operators[node.op] : undefined;
    if (!operator) {
      const whose = isOurs ? undefined : `the domain '${proto.domain}'`;
      node.refuse('an operator that is not supported', whose, { hint: '`onnxOperators` lists those that are' });
    }
    const missing = node.inputs.find((name) => name !== '' && !known.has(name));
    if (missing !== undefined) node.refuse(`its input '${missing}' is neither an input, a weight nor made before it`);
    const step = operator!.read(node);
    node.checkAttributes();
    for (const name of node.outputs) {
      if (name === '') continue;
      if (known.has(name)) node.refuse(`its output '${name}' is there already`);
      known.add(name);
    }
    if (node.op !== 'Constant') {
      planned.push({ node, step });
      continue;
    }
    const value = step(new Inputs([], node, noRun));
    if (isHost(value as Host)) hosts.set(node.outputs[0]!, value as Host);
  }
  return planned;
}

/** Constants have no inputs. */
const noRun = {
  get device(): never {
    throw new Error('a constant needs no device');
  },
  tensorOf: (): never => {
    throw new Error('a constant needs no device');
  },
};

/**
 * Reads an ONNX model from a file or its content as a module. Weights of float types become float32 parameters under their names in
 * the file, which train; running statistics become buffers. Shapes may be computed in the model. Operators: `onnxOperators`;
 * opsets 7 to 24; one or two axes of space.
 *
 * Throws DataError, in one line with the file, the node and the operator, for an operator, an attribute or an element type that is
 * not supported, for weights that do not fill their shape or lie in a file that is not there, and for a damaged file.
 */
export async function importOnnx(source: OnnxSource, options: ImportOnnxOptions = {}): Promise<OnnxModule> {
  const unknown = Object.keys(options).find((key) => !optionNames.includes(key));
  if (unknown !== undefined) {
    const expected = `one of ${optionNames.join(', ')}`;
    throw new ConfigError('there is no such option', { operation, argument: unknown, expected });
  }
  const bytes = await bytesOf(source);
  const named =
    typeof Blob === 'function' && source instanceof Blob && 'name' in source ? String(source.name) : undefined;
  const file = options.name ?? (typeof source === 'string' ? source : (named ?? 'the model'));
  const model = decoded(bytes, file);
  const { graph } = model;
  const beside: ReadBeside = async (name) => {
    if (options.external) return bytesOf(await options.external(name));
    if (typeof source !== 'string') throw new Error('the model was given as bytes');
    if (/^[/\\]|(^|[/\\])\.\.([/\\]|$)|:/.test(name)) throw new Error('it is outside of the folder of the model');
    return readWhole(source.replace(/[^/\\]*$/, () => name));
  };
  const opset = opsetOf(model, file);
  const tensors = await attributeTensors(graph.node, file, beside);
  const hosts = new Map<string, Host>();
  const floats = new Map<string, Host>();
  const uses = readings(graph.node);
  for (const proto of graph.initializer) {
    const { name = '' } = proto;
    const host = await readTensor(proto, `${file}: the weight '${name}'`, beside);
    const isWeight = host.kind === 'float' && uses.get(name)?.asTensor;
    (isWeight ? floats : hosts).set(name, host);
  }
  const inputs = graph.input.filter(({ name = '' }) => !floats.has(name) && !hosts.has(name));
  const about = {
    inputs: inputs.map((each) => valueOf(each, file)),
    outputs: graph.output.map((each) => valueOf(each, file)),
  };
  const known = new Set(['', ...about.inputs.map(({ name }) => name), ...hosts.keys(), ...floats.keys()]);
  const planned = plan(graph, file, opset, { tensors, hosts, known });
  const lost = about.outputs.find(({ name }) => !known.has(name));
  if (lost) throw new DataError(`${file}: no node makes the output '${lost.name}'`);

  const device = options.device ?? defaultDevice();
  const buffers = ownBuffers(model);
  const weights = new Map<string, Tensor>();
  for (const [name, host] of floats) {
    const isFixed = uses.get(name)!.asBuffer || buffers.has(name) || options.trainable?.(name) === false;
    weights.set(name, isFixed ? bufferOf(host, device) : parameter(host.values, host.shape, device));
  }
  return new OnnxModule({ source: file, ...about, plan: planned, hosts, weights });
}
