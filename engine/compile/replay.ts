// Replaying: the step runs again, and each of its calls is compared with the recorded one. An operation whose inputs are those that
// were recorded is not run: its launches are ready. Nor is a backward pass through operations of which that holds. Whatever
// else is asked of the device - an update with another learning rate, a batch from the host - is compared request by request.
// At the first difference the player steps aside: all up to there has been done as an eager step would have done it, and the
// rest runs eagerly. So a replay never does what the step does not say.
import type { DType, Kernel, ParamValues } from '../../kernels/kernel.ts';
import type { BackwardOptions } from '../backward.ts';
import type { Device, Doorkeeper, Storage } from '../devices/device.ts';
import type { ElementsContext } from '../elements.ts';
import { isObserved, type Operation, putOnTape } from '../operation.ts';
import { currentSaver } from '../saved.ts';
import { own } from '../scope.ts';
import { sameShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { Bindings } from './bindings.ts';
import {
  type ApplyCall,
  type BackwardCall,
  type Call,
  copyOfParams,
  describe,
  isSame,
  type LaunchCall,
  type Place,
  type Program,
} from './program.ts';
import { passThrough, walked } from './record.ts';
import { callOf, newRun, setTracer, type Tracer } from './tracer.ts';

type Tensors = readonly (Tensor | undefined)[];

export class Player implements Doorkeeper, Tracer {
  readonly bindings: Bindings;
  /** What was different in the run that is under way or has just ended. */
  change: string | undefined;
  readonly #device: Device;
  readonly #calls: readonly Call[];
  #next = 0;
  #base = -1;

  constructor(device: Device, program: Program) {
    this.#device = device;
    this.#calls = program.calls;
    this.bindings = new Bindings(device, program);
  }

  /** Begins a run. False if that is not possible, for the reason in `change`. */
  begin(): boolean {
    this.#next = 0;
    this.change = undefined;
    this.#base = newRun();
    if (this.bindings.begin(this.#base)) return true;
    this.change =
      'a tensor of an earlier call is still alive that had been released by then when the step was recorded';
    return false;
  }

  /** Ends a run. True if the step did what was recorded, all of it. */
  finish(): boolean {
    const rest = this.#calls[this.#next];
    if (this.change === undefined && rest) this.change = `the step ended before ${describe(rest)}`;
    return this.change === undefined;
  }

  allocate(length: number, dtype: DType): Storage {
    const call = this.#calls[this.#next];
    const slot = call?.kind === 'allocate' ? call.slot : undefined;
    const { bindings } = this;
    if (slot === undefined || !this.#isLike(slot, length, dtype)) {
      return this.#stepAside(`a new buffer of ${length} ${dtype}`, () => this.#device.allocate(length, dtype));
    }
    if (!bindings.take([slot])) return this.#stepAside(stillAlive, () => this.#device.allocate(length, dtype));
    this.#next++;
    const storage = bindings.storage(slot);
    storage.references++;
    return storage;
  }

  /** Counted by the references. */
  released(): void {
    return undefined;
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    const call = this.#calls[this.#next];
    if (call?.kind !== 'write' || !this.bindings.standsFor(call.slot, storage)) {
      return this.#stepAside('values from the host', () => this.#device.write(storage, values, source));
    }
    passThrough(this.#device, () => this.#device.write(storage, values, source));
    this.#next++;
  }

  /** Reading waits for all that was queued before. */
  reads(): void {
    return undefined;
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    const call = this.#calls[this.#next];
    if (call?.kind !== 'launch' || !this.#isLaunch(call, kernel as unknown as Kernel<never>, inputs, outputs)) {
      return this.#stepAside(`a launch of ${kernel.name}`, () => this.#device.launch(kernel, inputs, outputs, params));
    }
    if (!isSame(call.params, params)) {
      call.params = copyOfParams(params);
      if (call.prepared?.tune(call.params) === false) call.prepared = undefined;
    }
    this.#run(call);
    this.#next++;
  }

  apply(operation: Operation<never>, inputs: Tensors, attrs: unknown, run: () => Tensor[]): Tensor[] {
    if (!inputs.some((input) => input && input.device === this.#device)) return run();
    const number = this.#next;
    const call = this.#calls[number];
    if (call?.kind !== 'apply' || call.operation !== operation) {
      return this.#stepAside(`the operation ${operation.name}`, run);
    }
    if (call.skips && !currentSaver() && !isObserved() && this.#areInputs(call, inputs) && isSame(call.attrs, attrs)) {
      if (!this.bindings.take(call.allocates)) return this.#stepAside(stillAlive, run);
      this.#next = call.end;
      return this.#skip(call, number, inputs, attrs);
    }
    return this.#inside(call, run);
  }

  backward(output: Tensor, options: BackwardOptions, run: () => Map<Tensor, Tensor>): void {
    if (output.device !== this.#device) return void run();
    const call = this.#calls[this.#next];
    if (call?.kind !== 'backward') return void this.#stepAside('a backward pass', run);
    const maySkip = call.skips && !isObserved();
    const nodes = maySkip ? walked(output) : [];
    if (!maySkip || !this.#isWalk(call, output, options, nodes)) return void this.#inside(call, run);
    this.#next = call.end;
    // Some of what comes from outside may be the tape's alone, and is read until the last launch.
    const outside = call.outside.map((slot) => this.bindings.storage(slot));
    for (const storage of outside) storage.references++;
    nodes.forEach((node, i) => {
      if (call.nodes[i]!.isReleased) node.dispose();
    });
    if (!this.bindings.take(call.allocates)) {
      this.bindings.takeElsewhere(call.allocates);
      this.#differs(stillAlive);
    }
    for (const launch of call.launches) this.#run(launch);
    for (const storage of outside) this.#device.release(storage);
    for (const { leaf, after } of call.leaves) {
      leaf.grad?.dispose();
      leaf.grad = this.#handle(after, leaf);
    }
  }

  /** Runs what the calls behind this one are, each of which is compared. */
  #inside<T>({ end }: ApplyCall | BackwardCall, run: () => T): T {
    this.#next++;
    const result = run();
    if (this.change === undefined && this.#next !== end) this.#differs(`fewer calls inside than before ${end}`);
    return result;
  }

  #skip(call: ApplyCall, number: number, inputs: Tensors, attrs: unknown): Tensor[] {
    for (const launch of call.launches) this.#run(launch);
    const outputs = call.outputs.map((output) => this.#handle(output.slot, output));
    for (const output of outputs) own(output);
    const node = putOnTape(call.operation, inputs, outputs, attrs as never);
    if (node && call.hasNode && call.inputs.every((place, i) => !place || this.#isAt(place, inputs[i]!))) {
      node.trace = this.#base + number;
    }
    return outputs;
  }

  #handle(slot: number, { shape, dtype }: Pick<Place, 'shape' | 'dtype'>): Tensor {
    const storage = this.bindings.storage(slot);
    storage.references++;
    return new Tensor(storage, shape, dtype);
  }

  #run(call: LaunchCall): void {
    (call.prepared ??= this.bindings.prepare(call)).run();
  }

  #isLike(slot: number, length: number, dtype: DType): boolean {
    const known = this.bindings.slot(slot);
    return known.length === length && known.dtype === dtype;
  }

  #isLaunch(call: LaunchCall, kernel: Kernel<never>, inputs: Storage[], outputs: Storage[]): boolean {
    const { bindings } = this;
    return (
      call.kernel === kernel &&
      call.inputs.length === inputs.length &&
      call.outputs.length === outputs.length &&
      inputs.every((storage, i) => bindings.standsFor(call.inputs[i]!, storage)) &&
      outputs.every((storage, i) => bindings.standsFor(call.outputs[i]!, storage))
    );
  }

  #areInputs(call: ApplyCall, inputs: Tensors): boolean {
    if (inputs.length !== call.inputs.length) return false;
    for (let i = 0; i < inputs.length; i++) {
      const [place, input] = [call.inputs[i], inputs[i]];
      if (place && input ? !this.#holds(place, input) : place !== input) return false;
    }
    return true;
  }

  /** Whether a tensor has the buffer and the shape that were recorded. */
  #holds({ slot, shape, dtype }: Place, tensor: Tensor): boolean {
    if (tensor.disposed || tensor.dtype !== dtype || !sameShape(tensor.shape, shape)) return false;
    return tensor.device === this.#device && this.bindings.standsFor(slot, tensor.storage);
  }

  /** Whether a tensor stands at the recorded place on the tape. */
  #isAt(place: Place, { node, outputIndex, requiresGrad, leaf }: Tensor): boolean {
    if (!node) return place.node === undefined && !place.isForeign && place.leaf === (requiresGrad ? leaf : undefined);
    return place.node !== undefined && callOf(node.trace, this.#base) === place.node && outputIndex === place.output;
  }

  /** Whether a backward pass from here does what was recorded: the same nodes, and nobody who wants to be told. */
  #isWalk(
    call: BackwardCall,
    output: Tensor,
    { gradient, retainGraph = false, createGraph }: BackwardOptions,
    nodes: ReturnType<typeof walked>,
  ): boolean {
    if (createGraph || retainGraph !== call.retainGraph || nodes.length !== call.nodes.length) return false;
    if (!this.#holds(call.root, output) || !this.#isAt(call.root, output)) return false;
    if (call.gradient && gradient ? !this.#holds(call.gradient, gradient) : call.gradient !== gradient) return false;
    const isKnown = nodes.every(
      ({ trace, hooks, retained, saved }, i) =>
        callOf(trace, this.#base) === call.nodes[i]!.call && !hooks && !retained && !saved.isReleased,
    );
    const { bindings } = this;
    const hasLeaves = call.leaves.every(({ leaf, before }) => {
      if (leaf.disposed || leaf.hooks?.length || (leaf.grad === undefined) !== (before === undefined)) return false;
      return before === undefined || bindings.standsFor(before, leaf.grad!.storage);
    });
    return isKnown && hasLeaves && call.outside.every((slot) => bindings.isBound(slot));
  }

  /** The step does something else than what was recorded: from here on it runs eagerly. */
  #stepAside<T>(given: string, request: () => T): T {
    this.#differs(given);
    return request();
  }

  #differs(given: string): void {
    const call = this.#calls[this.#next];
    this.change ??= `expected ${call ? describe(call) : 'the end of the step'} as call ${this.#next}, found ${given}`;
    this.#device.doorkeeper = undefined;
    setTracer(undefined);
  }
}

const stillAlive = 'that a tensor is still alive which had been released by then when the step was recorded';
