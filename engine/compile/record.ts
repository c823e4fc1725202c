// Recording: the step runs as it always does, and what it asks for is written down on the way. Nothing is changed or left out.
import type { DType, Kernel, ParamValues } from '../../kernels/kernel.ts';
import type { BackwardOptions } from '../backward.ts';
import type { Device, Doorkeeper, Storage } from '../devices/device.ts';
import type { ElementsContext } from '../elements.ts';
import { isEngines, type Operation } from '../operation.ts';
import { currentSaver } from '../saved.ts';
import { nodesBehind, type TapeNode } from '../tape.ts';
import { Tensor } from '../tensor.ts';
import {
  type ApplyCall,
  type BackwardCall,
  type Call,
  copyOf,
  copyOfParams,
  type LaunchCall,
  type Place,
  type Program,
  type Slot,
} from './program.ts';
import { callOf, CALLS_PER_RUN, newRun, type Tracer } from './tracer.ts';

/** Passes a request to the device itself. */
export function passThrough<T>(device: Device, request: () => T): T {
  const { doorkeeper } = device;
  device.doorkeeper = undefined;
  try {
    return request();
  } finally {
    device.doorkeeper = doorkeeper;
  }
}

/** The nodes behind an output, in the order of a backward pass. */
export function walked({ node, outputIndex }: Tensor): TapeNode[] {
  return node ? [...nodesBehind([{ node, output: outputIndex }])].sort((a, b) => b.id - a.id) : [];
}

export class Recorder implements Doorkeeper, Tracer {
  readonly #device: Device;
  readonly #base = newRun();
  readonly #slots: Slot[] = [];
  readonly #calls: Call[] = [];
  readonly #reads: { slot: number; before: number }[] = [];
  readonly #known = new Map<Storage, number>();
  #operation = 'update';
  /** Something was thrown halfway, and caught by the step: the record has a hole. */
  #isBroken = false;

  constructor(device: Device) {
    this.#device = device;
  }

  /** What has been recorded, or undefined where it cannot be replayed. */
  finish(): Program | undefined {
    if (this.#isBroken || this.#calls.length >= CALLS_PER_RUN) return undefined;
    return { slots: this.#slots, calls: this.#calls, reads: this.#reads };
  }

  allocate(length: number, dtype: DType): Storage {
    const storage = passThrough(this.#device, () => this.#device.allocate(length, dtype));
    const slot = this.#add(storage, this.#calls.length);
    this.#calls.push({ kind: 'allocate', slot });
    return storage;
  }

  released(storage: Storage): void {
    const slot = this.#known.get(storage);
    if (slot !== undefined) this.#slots[slot]!.to = this.#calls.length;
  }

  write(storage: Storage, values: ArrayLike<unknown>, source?: ElementsContext): void {
    passThrough(this.#device, () => this.#device.write(storage, values, source));
    const slot = this.#slotOf(storage);
    this.#slots[slot]!.isWritten = true;
    this.#calls.push({ kind: 'write', slot });
  }

  reads(storage: Storage): void {
    this.#reads.push({ slot: this.#slotOf(storage), before: this.#calls.length });
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    passThrough(this.#device, () => this.#device.launch(kernel, inputs, outputs, params));
    this.#calls.push({
      kind: 'launch',
      operation: this.#operation,
      kernel: kernel as unknown as Kernel<never>,
      inputs: inputs.map((storage) => this.#slotOf(storage)),
      outputs: outputs.map((storage) => this.#slotOf(storage)),
      params: copyOfParams(params),
      prepared: undefined,
    });
  }

  apply(
    operation: Operation<never>,
    inputs: readonly (Tensor | undefined)[],
    attrs: unknown,
    run: () => Tensor[],
  ): Tensor[] {
    const isOurs = (input?: Tensor): boolean =>
      input instanceof Tensor && !input.disposed && input.device === this.#device;
    if (!inputs.some(isOurs) || !inputs.every((input) => input === undefined || isOurs(input))) return run();
    const call: ApplyCall = {
      kind: 'apply',
      operation,
      attrs: copyOf(attrs),
      inputs: inputs.map((input) => input && this.#placeOf(input)),
      outputs: [],
      hasNode: false,
      ...this.#part(),
    };
    const number = this.#calls.push(call) - 1;
    const outputs = this.#inside(operation.name, run);
    call.outputs = outputs.map(({ storage, shape, dtype }) => ({ slot: this.#slotOf(storage), shape, dtype }));
    this.#close(call, number);
    const own = new Set(call.allocates);
    for (const input of call.inputs) if (input) own.add(input.slot);
    const named = [
      ...call.launches.flatMap((each) => [...each.inputs, ...each.outputs]),
      ...call.outputs.map(({ slot }) => slot),
    ];
    call.skips &&= isEngines(operation) && !currentSaver() && named.every((slot) => own.has(slot));
    const node = outputs.find((output) => output.node)?.node;
    if (node && call.skips && !call.inputs.some((input) => input?.isForeign)) {
      node.trace = this.#base + number;
      call.hasNode = true;
    }
    return outputs;
  }

  backward(output: Tensor, options: BackwardOptions, run: () => Map<Tensor, Tensor>): void {
    if (output.device !== this.#device) return void run();
    const nodes = walked(output);
    const leaves = new Set<Tensor>();
    for (const node of nodes) for (const edge of node.edges) if (edge && 'leaf' in edge) leaves.add(edge.leaf);
    const before = new Map([...leaves].map((leaf) => [leaf, leaf.grad && this.#slotOf(leaf.grad.storage)]));
    const isPlain =
      nodes.length > 0 &&
      !options.createGraph &&
      nodes.every(({ trace, hooks, retained }) => callOf(trace, this.#base) !== undefined && !hooks && !retained) &&
      [...leaves].every((leaf) => !leaf.disposed && !leaf.hooks);
    const call: BackwardCall = {
      kind: 'backward',
      root: this.#placeOf(output),
      gradient: options.gradient && this.#placeOf(options.gradient),
      retainGraph: options.retainGraph ?? false,
      nodes: [],
      leaves: [],
      outside: [],
      ...this.#part(),
    };
    const number = this.#calls.push(call) - 1;
    const totals = this.#inside('backward', run);
    this.#close(call, number);
    call.nodes = nodes.map(({ trace, saved }) => ({ call: trace - this.#base, isReleased: saved.isReleased }));
    call.leaves = [...totals].map(([leaf, total]) => ({
      leaf,
      before: before.get(leaf),
      after: this.#slotOf(total.storage),
    }));
    const named = new Set(call.launches.flatMap((each) => [...each.inputs, ...each.outputs]));
    call.outside = [...named].filter((slot) => this.#slots[slot]!.from < 0);
    call.skips &&= isPlain && [...totals.keys()].every((leaf) => leaves.has(leaf));
  }

  #part(): Pick<ApplyCall, 'skips' | 'end' | 'allocates' | 'launches'> {
    return { skips: false, end: 0, allocates: [], launches: [] };
  }

  #inside<T>(operation: string, run: () => T): T {
    const around = this.#operation;
    // Operations of a vjp keep their own names; what adds gradients up is the pass itself.
    this.#operation = operation;
    try {
      return run();
    } catch (error) {
      this.#isBroken = true;
      throw error;
    } finally {
      this.#operation = around;
    }
  }

  /** Notes what the call consisted of. It can be skipped only if that is nothing but new buffers and launches. */
  #close(call: ApplyCall | BackwardCall, number: number): void {
    const inside = this.#calls.slice(number + 1);
    call.end = this.#calls.length;
    call.allocates = inside.flatMap((each) => (each.kind === 'allocate' ? [each.slot] : []));
    call.launches = inside.filter((each): each is LaunchCall => each.kind === 'launch');
    call.skips = inside.every(
      (each) => each.kind === 'allocate' || each.kind === 'launch' || (each.kind === 'apply' && each.skips),
    );
  }

  #placeOf({ storage, shape, dtype, node, outputIndex, requiresGrad, leaf }: Tensor): Place {
    const call = node && callOf(node.trace, this.#base);
    return {
      slot: this.#slotOf(storage),
      shape,
      dtype,
      node: call,
      output: outputIndex,
      leaf: !node && requiresGrad ? leaf : undefined,
      isForeign: node !== undefined && call === undefined,
    };
  }

  #slotOf(storage: Storage): number {
    return this.#known.get(storage) ?? this.#add(storage, -1);
  }

  #add(storage: Storage, from: number): number {
    const { length, dtype } = storage;
    const slot = this.#slots.push({ length, dtype, from, to: Infinity, isWritten: false }) - 1;
    this.#known.set(storage, slot);
    return slot;
  }
}
