// What a forward pass consists of: the operations that it calls, with their attributes, and where their inputs come from. The pass
// runs on the meta device, where nothing is computed and no memory is taken: tensors of its shapes stand in for the module's state.
// A module that holds other tensors too is traced on its own device, where nothing is computed either.
//
// A value is known by its storage, so that reshaping, which keeps the storage, is no operation here: each input says under which
// shape it reads a value.
import { Cast, cast, type DType, fills, type Kernel, type ParamValues } from '../../../kernels/index.ts';
import { copyOf } from '../../compile/program.ts';
import { passThrough } from '../../compile/record.ts';
import { currentTracer, setTracer, type Tracer } from '../../compile/tracer.ts';
import { defaultDevice, setDefaultDevice } from '../../creation.ts';
import type { Device, Doorkeeper, HostArray, Storage } from '../../devices/device.ts';
import { createMetaDevice } from '../../devices/meta/device.ts';
import { ConfigError, DeviceError } from '../../errors.ts';
import { noGrad } from '../../grad-mode.ts';
import { functionalCall } from '../../nn/functional-call.ts';
import { Buffer, Counter, type Module } from '../../nn/module.ts';
import type { Operation } from '../../operation.ts';
import { watchModules } from '../../profile/layers.ts';
import { tidy } from '../../scope.ts';
import { checkTensor } from '../../signature.ts';
import type { Shape } from '../../shape.ts';
import { emptyTensor, Tensor } from '../../tensor.ts';

/** Where a value comes from. */
export type Source =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'state'; readonly name: string; readonly tensor: Tensor; readonly isBuffer: boolean }
  /** Values that were written during the pass. */
  | { readonly kind: 'written'; readonly values: HostArray }
  | { readonly kind: 'filled'; readonly with: number }
  /** A tensor that was there before the pass and is not in the module's state. */
  | { readonly kind: 'outside'; readonly tensor: Tensor }
  | { readonly kind: 'result'; readonly call: TracedCall; readonly output: number };

/** A value, by the shape and type in which it was made. */
export interface Traced {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly source: Source;
}

/** A value as it is read: its elements under a shape, a bool perhaps as int32. */
export interface Use {
  readonly value: Traced;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One operation of the pass. */
export interface TracedCall {
  readonly operation: string;
  readonly attrs: unknown;
  readonly inputs: readonly (Use | undefined)[];
  readonly outputs: Traced[];
  /** Dotted name of the innermost module at work; '' for the outermost. */
  readonly layer: string;
}

export interface TracedInput {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A forward pass. Holds handles to tensors from outside, which `release` lets go of. */
export interface Trace {
  readonly calls: readonly TracedCall[];
  readonly outputs: readonly { readonly name: string; readonly use: Use }[];
  release(): void;
}

/** Runs the part of a module that is traced. */
export type Forward = (...inputs: Tensor[]) => unknown;

const operation = 'exportOnnx';

class PassRecorder implements Doorkeeper, Tracer {
  readonly calls: TracedCall[] = [];
  readonly outside = new Map<Storage, Tensor>();
  readonly #device: Device;
  readonly #values = new Map<Storage, Traced>();
  /** Storages of this pass. */
  readonly #made = new WeakSet<Storage>();
  readonly #layers: readonly string[];
  /** Operations at work: their launches are theirs. */
  #depth = 0;

  constructor(device: Device, layers: readonly string[]) {
    this.#device = device;
    this.#layers = layers;
  }

  /** A new tensor of a value that is not computed. */
  stand(shape: Shape, dtype: DType, source: Source): Tensor {
    const tensor = emptyTensor(this.#device, shape, dtype);
    this.known(tensor, source);
    return tensor;
  }

  /** A tensor that is there already. */
  known({ storage, shape, dtype }: Tensor, source: Source): void {
    this.#values.set(storage, { shape, dtype, source });
  }

  use(tensor: Tensor): Use {
    const { storage, shape, dtype } = tensor;
    let value = this.#values.get(storage);
    if (!value) {
      if (this.#made.has(storage)) {
        throw new ConfigError('a tensor was made by a kernel that no operation launched', {
          operation,
          given: `one of shape [${shape.join(', ')}] in ${this.#place()}`,
          hint: 'Make it by an operation, or in the constructor as a nn.Buffer',
        });
      }
      const handle = tensor.detach();
      handle.owner?.remove(handle);
      this.outside.set(storage, handle);
      value = { shape, dtype: storage.dtype, source: { kind: 'outside', tensor: handle } };
      this.#values.set(storage, value);
    }
    return { value, shape, dtype };
  }

  apply(
    { name, dtypes, forward, infer, arguments: names }: Operation<never>,
    inputs: readonly (Tensor | undefined)[],
    attrs: unknown,
    run: () => Tensor[],
  ): Tensor[] {
    const given = inputs.filter((input) => input !== undefined);
    // What concerns no tensor of this pass is computed, and reshaping makes no value.
    if (!forward || !given.some((input) => input instanceof Tensor && input.device === this.#device)) return run();
    given.forEach((input, i) => {
      const allowed = dtypes ? (dtypes[i] ?? dtypes.at(-1)!) : (['float32'] as const);
      checkTensor(name, names?.[i] ?? `inputs[${i}]`, input, allowed, undefined);
    });
    const call: TracedCall = {
      operation: name,
      attrs: copyOf(attrs),
      inputs: inputs.map((input) => input && this.use(input)),
      outputs: [],
      layer: this.#place(),
    };
    this.calls.push(call);
    this.#depth++;
    try {
      return infer(inputs as readonly Tensor[], attrs as never).map(({ shape, dtype }, output) => {
        const tensor = this.stand(shape, dtype, { kind: 'result', call, output });
        call.outputs.push(this.#values.get(tensor.storage)!);
        return tensor;
      });
    } finally {
      this.#depth--;
    }
  }

  backward(): void {
    throw new ConfigError('the forward pass runs a backward pass', {
      operation,
      expected: 'a module whose result needs no gradients',
    });
  }

  allocate(length: number, dtype: DType): Storage {
    const storage = passThrough(this.#device, () => this.#device.allocate(length, dtype));
    this.#made.add(storage);
    return storage;
  }

  released(): void {
    // Values are known by their storage, which nothing else gets.
  }

  reads(): void {
    throw new ConfigError('the forward pass reads a tensor on the host', {
      operation,
      given: `array() or item() in ${this.#place()}`,
      hint: 'What it does may depend on values, which a graph cannot say',
    });
  }

  write(storage: Storage, values: ArrayLike<unknown>): void {
    this.#make(storage, { kind: 'written', values: hostValues(values, storage) });
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    if (this.#depth > 0) return;
    const [from] = inputs;
    const [to] = outputs;
    const source = from && this.#values.get(from)?.source;
    if (Object.values(fills).some((each) => (each as unknown) === kernel)) {
      this.#make(to!, { kind: 'filled', with: Number((params as unknown as { value: number }).value) });
    } else if ((kernel as unknown) === cast && source?.kind === 'written') {
      // tensor() makes a large mask in this way.
      const { kind } = params as unknown as { kind: Cast };
      const values =
        kind === Cast.toFloat ? Float32Array.from(source.values) : source.values.map((n) => Number(n !== 0));
      this.#make(to!, { kind: 'written', values: kind === Cast.toInt ? Int32Array.from(source.values) : values });
    } else if (outputs.some((storage) => this.#values.has(storage))) {
      throw new ConfigError('the forward pass changes a tensor in place', {
        operation,
        given: `the kernel '${kernel.name}' in ${this.#place()}`,
        hint: 'Running statistics are updated in training mode only: does the module switch it on by itself?',
      });
    }
  }

  #make(storage: Storage, source: Source): void {
    const { length, dtype } = storage;
    const known = this.#values.get(storage);
    if (known && known.source.kind !== 'written' && known.source.kind !== 'filled') {
      throw new ConfigError('the forward pass writes to a tensor in place', {
        operation,
        given: `in ${this.#place()}`,
      });
    }
    this.#values.set(storage, { shape: [length], dtype, source });
  }

  #place(): string {
    return this.#layers.at(-1) ?? '';
  }
}

/** A copy of what is written, as the type stores it. */
function hostValues(values: ArrayLike<unknown>, { dtype }: Storage): HostArray {
  const list = Array.from(values, Number);
  if (dtype === 'bool') return Int32Array.from(list, (n) => Number(n !== 0));
  return dtype === 'int32' ? Int32Array.from(list) : Float32Array.from(list);
}

/** The tensors of a result by name: a list by its numbers, a record by its keys, nested ones with a dot between. */
function namedTensors(result: unknown, name: string): [string, Tensor][] {
  if (result instanceof Tensor) return [[name || 'output', result]];
  if (typeof result !== 'object' || result === null) return [];
  const isList = Array.isArray(result);
  return Object.entries(result).flatMap(([key, each]) => {
    const below = name ? `${name}.${key}` : isList ? `output_${key}` : key;
    return namedTensors(each, below);
  });
}

/** The name of a module at work, by its place in the one that is traced. */
function layerNames(module: Module): (layer: Module) => string {
  const names = new Map<Module, string>();
  for (const [name, each] of module.namedModules()) if (!names.has(each)) names.set(each, name);
  return (layer) => names.get(layer) ?? layer.constructor.name;
}

function currentDefault(): Device | undefined {
  try {
    return defaultDevice();
  } catch {
    return undefined;
  }
}

/** Runs `body` in inference mode and puts the modes of all modules back. */
function inInference<T>(module: Module, body: () => T): T {
  const modes = [...module.namedModules()].map(([, each]) => [each, each.training] as const);
  try {
    module.eval();
    return body();
  } finally {
    for (const [each, training] of modes) each.training = training;
  }
}

/** Tensors of the module's state that stand in for it on another device, or none where it is traced with its own. */
function stateOf(module: Module, recorder: PassRecorder, device: Device): Record<string, Tensor> {
  const standIns: Record<string, Tensor> = {};
  const seen = new Set<Tensor>();
  for (const [name, tensor] of module.namedState()) {
    if (tensor instanceof Counter || seen.has(tensor)) continue;
    seen.add(tensor);
    const source: Source = { kind: 'state', name, tensor, isBuffer: tensor instanceof Buffer };
    if (tensor.device === device) recorder.known(tensor, source);
    else standIns[name] = recorder.stand(tensor.shape, tensor.dtype, source);
  }
  return standIns;
}

function traceOn(device: Device, module: Module, inputs: readonly TracedInput[], forward: Forward): Trace {
  const layers: string[] = [];
  const nameOf = layerNames(module);
  const recorder = new PassRecorder(device, layers);
  const unwatch = watchModules((layer, body) => {
    layers.push(nameOf(layer));
    try {
      return body();
    } finally {
      layers.pop();
    }
  });
  const before = currentDefault();
  const release = (): void => recorder.outside.forEach((tensor) => tensor.dispose());
  try {
    let outputs: Trace['outputs'] = [];
    tidy(() => {
      device.doorkeeper = recorder;
      const state = stateOf(module, recorder, device);
      const tensors = inputs.map(({ name, shape, dtype }) => recorder.stand(shape, dtype, { kind: 'input', name }));
      setTracer(recorder);
      setDefaultDevice(device);
      const result = noGrad(() => inInference(module, () => functionalCall(module, state, () => forward(...tensors))));
      if (result instanceof Promise) {
        throw new ConfigError('the forward pass is asynchronous', { operation, argument: 'forward' });
      }
      outputs = namedTensors(result, '').map(([name, tensor]) => ({ name, use: recorder.use(tensor) }));
    });
    return { calls: recorder.calls, outputs, release };
  } catch (error) {
    release();
    throw error;
  } finally {
    setTracer(undefined);
    device.doorkeeper = undefined;
    setDefaultDevice(before);
    unwatch();
  }
}

/** Traces `forward`, which calls the module on inputs of these shapes. */
export function trace(module: Module, inputs: readonly TracedInput[], forward: Forward): Trace {
  if (currentTracer()) throw new ConfigError('a compiled step is running', { operation, hint: 'Export outside of it' });
  const meta = createMetaDevice();
  try {
    return traceOn(meta, module, inputs, forward);
  } catch (error) {
    const own = [...module.namedState()].map(([, value]) => value).find((value) => value instanceof Tensor);
    const device = own?.device ?? currentDefault();
    if (!(error instanceof DeviceError) || !device) throw error;
    // A tensor that the module keeps beside its state met those of the meta device.
    return traceOn(device, module, inputs, forward);
  } finally {
    meta.dispose();
  }
}
