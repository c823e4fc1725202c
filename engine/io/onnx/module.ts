// An ONNX model as a module: its weights are parameters under their names in the file, its nodes run as the engine's operations.
import { ConfigError, DataError, nn, ShapeError, type Tensor, WgradError } from '../../index.ts';
import type { DType } from '../../../kernels/index.ts';
import type { Device } from '../../devices/device.ts';
import { type FileNode, Inputs, isHost, type Run, type Step, tensorOnto, type Value } from './from/node.ts';
import type { Host } from './tensor-data.ts';

/** A size of an input or output: a number, the name of one that varies, or neither. */
export type OnnxSize = number | string | undefined;

/** What a model says of an input or output. */
export interface OnnxValue {
  readonly name: string;
  readonly dtype: DType;
  /** Undefined where the model does not say. */
  readonly shape: readonly OnnxSize[] | undefined;
}

/** Where a node's inputs come from, and what runs it. */
export interface PlannedNode {
  readonly node: FileNode;
  readonly step: Step;
}

/** The module that a part of a dotted name stands for. */
class OnnxPart extends nn.Module {}

/** Where a module holds a tensor; others may stand in for it there. */
interface Place {
  readonly owner: Record<string, unknown>;
  readonly part: string;
}

/** Puts a tensor under a dotted name, of which each part but the last is a module. */
function place(root: nn.Module, name: string, tensor: Tensor): Place {
  const parts = name.split('.').map((part) => part || '_');
  let owner = root as unknown as Record<string, unknown>;
  let part = '';
  parts.forEach((wish, i) => {
    const isLast = i === parts.length - 1;
    part = wish;
    // A name that a module has already for itself, or that another tensor has taken.
    while (part in owner && (isLast || !(owner[part] instanceof OnnxPart))) part += '_';
    owner[part] ??= isLast ? tensor : new OnnxPart();
    if (!isLast) owner = owner[part] as Record<string, unknown>;
  });
  return { owner, part };
}

/** A model that was imported. It runs as its file says in training too: batch norm by its running statistics, no dropout. */
export class OnnxModule extends nn.Module implements nn.Layer {
  /** Inputs, in the order in which `forward` takes them. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly #plan: readonly PlannedNode[];
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #held: ReadonlySet<Host>;
  readonly #constants = new Map<Host, Tensor>();
  readonly #source: string;

  constructor(about: {
    source: string;
    inputs: readonly OnnxValue[];
    outputs: readonly OnnxValue[];
    plan: readonly PlannedNode[];
    hosts: ReadonlyMap<string, Host>;
    weights: ReadonlyMap<string, Tensor>;
  }) {
    super();
    this.#source = about.source;
    this.inputs = about.inputs;
    this.outputs = about.outputs;
    this.#plan = about.plan;
    this.#hosts = about.hosts;
    this.#held = new Set(about.hosts.values());
    this.#places = new Map([...about.weights].map(([name, tensor]) => [name, place(this, name, tensor)]));
  }

  /** The one output of the model. Throws ConfigError where it has several: `run` gives all. */
  forward(...inputs: Tensor[]): Tensor {
    const { outputs } = this;
    if (outputs.length === 1) return this.run(...inputs)[outputs[0]!.name]!;
    throw new ConfigError('the model has several outputs', {
      operation: 'OnnxModule.forward',
      expected: 'one',
      given: outputs.map(({ name }) => name).join(', '),
      hint: 'run(...inputs) gives them all by name',
    });
  }

  /**
   * All outputs by name. Inputs are float32, int32 (for the model's int64 too) or bool, in the order of `inputs`. Throws DataError,
   * with the node and the operator, for what an operation refuses.
   */
  run(...inputs: Tensor[]): Record<string, Tensor> {
    const values = new Map<string, Value>(this.#hosts);
    for (const [name, { owner, part }] of this.#places) values.set(name, owner[part] as Tensor);
    this.#takeInputs(inputs, values);
    const { device } = inputs[0] ?? (this.parameters()[0] as Tensor);
    const run: Run = { device, tensorOf: (host, make) => this.#tensorOf(host, device, make) };
    for (const { node, step } of this.#plan) {
      const given = node.inputs.map((name) => (name === '' ? undefined : values.get(name)));
      const results = this.#ran(node, () => step(new Inputs(given, node, run)));
      results.forEach((result, i) => values.set(node.outputs[i] ?? '', result));
    }
    return Object.fromEntries(this.outputs.map(({ name }) => [name, this.#outputOf(name, values, run)]));
  }

  override dispose(): void {
    super.dispose();
    for (const tensor of this.#constants.values()) tensor.dispose();
    this.#constants.clear();
  }

  #ran(node: FileNode, run: () => Value | readonly Value[]): readonly Value[] {
    try {
      const result = run();
      return Array.isArray(result) ? (result as readonly Value[]) : [result as Value];
    } catch (error) {
      // A RangeError is a size of the file's own that no list of numbers can have.
      const isOurs = error instanceof WgradError || error instanceof RangeError;
      if (!isOurs || error instanceof DataError) throw error;
      return node.refuse(error.message.replace(/ \[at [^\]]*\]$/, ''), undefined, { cause: error });
    }
  }

  #outputOf(name: string, values: ReadonlyMap<string, Value>, run: Run): Tensor {
    const value = values.get(name)!;
    return isHost(value) ? tensorOnto(value, run.device) : value;
  }

  #takeInputs(given: readonly Tensor[], values: Map<string, Value>): void {
    const operation = `${this.#source}`;
    if (given.length !== this.inputs.length) {
      const expected = this.inputs.map(({ name }) => name).join(', ') || 'none';
      throw new ConfigError('the inputs are not those of the model', { operation, expected, given: `${given.length}` });
    }
    this.inputs.forEach(({ name, shape, dtype }, i) => {
      const tensor = given[i]!;
      const fits =
        !shape ||
        (shape.length === tensor.rank && shape.every((n, k) => typeof n !== 'number' || n === tensor.shape[k]));
      if (!fits || dtype !== tensor.dtype) {
        const list = (sizes: readonly OnnxSize[]) => `[${sizes.map((n) => n ?? 'any').join(', ')}]`;
        throw new ShapeError(`the input '${name}' does not fit`, {
          operation,
          expected: `${shape ? list(shape) : 'any shape'}, ${dtype}`,
          given: `${list(tensor.shape)}, ${tensor.dtype}`,
        });
      }
      values.set(name, tensor);
    });
  }

  /** The tensor of a constant is kept, out of any scope. */
  #tensorOf(host: Host, device: Device, make: () => Tensor): Tensor {
    const known = this.#constants.get(host);
    if (known?.device === device && !known.disposed) return known;
    const made = make();
    if (!this.#held.has(host)) return made;
    made.owner?.remove(made);
    known?.dispose();
    this.#constants.set(host, made);
    return made;
  }
}
