// The buffers of a recorded step as one run has them. Those from outside are bound when they are met. Those made inside lie in planned
// memory, or have a buffer of their own: what outlives the step or is written by the host. The program holds one reference
// to each of its buffers, so that one with a second reference is in use elsewhere.
import type { Device, PreparedLaunch, Storage } from '../devices/device.ts';
import { type Lifetime, type MemoryPlan, planMemory, predecessorsOf } from './memory.ts';
import type { LaunchCall, Program, Slot } from './program.ts';
import { passThrough } from './record.ts';

export class Bindings {
  readonly plan: MemoryPlan;
  /** What was planned for. */
  readonly lifetimes: readonly Lifetime[];
  readonly #device: Device;
  readonly #program: Program;
  /** Slots in planned memory, in the order of the plan. */
  readonly #planned: readonly number[];
  /** Slots that lie where this one does, and are released before. Undefined for one that is not planned. */
  readonly #rivals: (readonly number[] | undefined)[];
  readonly #launches: LaunchCall[][];
  readonly #storages: (Storage | undefined)[];
  /** The run that each slot was bound in last. */
  readonly #boundIn: number[];
  /** Lasting buffers that the program made, and those of them that came back as something from outside in this run. */
  readonly #lasting = new Set<Storage>();
  readonly #returned = new Set<Storage>();
  #run = -1;
  #hasMemory = false;

  constructor(device: Device, program: Program) {
    const { slots, calls } = program;
    this.#device = device;
    this.#program = program;
    this.#planned = slots.flatMap(({ from, to, isWritten }, i) =>
      from >= 0 && to < Infinity && !isWritten ? [i] : [],
    );
    const { viewBytes, hasOffsets } = device.division;
    const lifetimes = this.#planned.map((i) => {
      const { length, dtype, from, to } = slots[i]!;
      return { bytes: viewBytes(length, dtype), from, to };
    });
    this.lifetimes = lifetimes;
    this.plan = planMemory(lifetimes, hasOffsets);
    this.#rivals = slots.map(() => undefined);
    predecessorsOf(lifetimes, this.plan).forEach((before, i) => {
      this.#rivals[this.#planned[i]!] = before.map((j) => this.#planned[j]!);
    });
    this.#launches = slots.map(() => []);
    for (const call of calls) {
      if (call.kind !== 'launch') continue;
      for (const slot of new Set([...call.inputs, ...call.outputs])) this.#launches[slot]!.push(call);
    }
    this.#storages = slots.map(() => undefined);
    this.#boundIn = slots.map(() => -1);
  }

  /** Bytes of the buffers that have memory of their own because they outlive the step. */
  get lastingBytes(): number {
    const { viewBytes } = this.#device.division;
    const planned = new Set(this.#planned);
    return this.#program.slots.reduce(
      (sum, { from, length, dtype }, i) => (from < 0 || planned.has(i) ? sum : sum + viewBytes(length, dtype)),
      0,
    );
  }

  /** Makes ready for a run. False if a buffer that ought to be free is in use. Throws what `allocate` does. */
  begin(run: number): boolean {
    this.#run = run;
    if (this.#returned.size > 0) this.#returned.clear();
    if (!this.#hasMemory) this.#acquire();
    return this.#planned.every((slot) => this.#isFree(slot));
  }

  /** The buffer of a slot that has been bound. */
  storage(slot: number): Storage {
    return this.#storages[slot]!;
  }

  slot(slot: number): Slot {
    return this.#program.slots[slot]!;
  }

  isBound(slot: number): boolean {
    return this.#boundIn[slot] === this.#run;
  }

  /** Whether the slot stands for this buffer. One from outside that has not been met in this run does from now on. */
  standsFor(slot: number, storage: Storage): boolean {
    if (this.#boundIn[slot] === this.#run) return this.#storages[slot] === storage;
    if (this.#program.slots[slot]!.from >= 0) return false;
    if (this.#storages[slot] !== storage) this.#rebind(slot, storage);
    this.#boundIn[slot] = this.#run;
    if (this.#lasting.has(storage)) this.#returned.add(storage);
    return true;
  }

  /** Binds the slots of buffers that are made now. False, and nothing is changed, if their memory is still in use. */
  take(slots: readonly number[]): boolean {
    for (const slot of slots) {
      const rivals = this.#rivals[slot];
      if (rivals && !(this.#isFree(slot) && rivals.every((rival) => this.#isFree(rival)))) return false;
    }
    for (const slot of slots) this.#take(slot);
    return true;
  }

  /** The same with memory of their own for all of them, after which the program must not be played on. */
  takeElsewhere(slots: readonly number[]): void {
    for (const slot of slots) {
      this.#renew(slot);
      this.#boundIn[slot] = this.#run;
    }
  }

  prepare(call: LaunchCall): PreparedLaunch {
    const storages = (slots: readonly number[]): Storage[] => slots.map((slot) => this.#storages[slot]!);
    return this.#device.prepare(call.kernel, storages(call.inputs), storages(call.outputs), call.params as never);
  }

  /** Lets go of the memory. Buffers that are still in use live on by themselves. */
  release(): void {
    if (!this.#hasMemory) return;
    this.#hasMemory = false;
    this.#lasting.clear();
    this.#program.slots.forEach(({ from }, slot) => {
      const storage = this.#storages[slot];
      this.#storages[slot] = undefined;
      this.#forget(slot);
      if (storage && from >= 0) this.#device.release(storage);
    });
  }

  #take(slot: number): void {
    // What has come back from an earlier call may be read after the tape, its last owner, has let go of it.
    const isLasting = this.#rivals[slot] === undefined;
    if (isLasting && (!this.#isFree(slot) || this.#returned.has(this.#storages[slot]!))) this.#renew(slot);
    this.#boundIn[slot] = this.#run;
  }

  #isFree(slot: number): boolean {
    return this.#storages[slot]?.references === 1;
  }

  /** Another buffer for a slot, whose own is in use. */
  #renew(slot: number): void {
    const { length, dtype } = this.#program.slots[slot]!;
    const before = this.#storages[slot];
    this.#rebind(
      slot,
      passThrough(this.#device, () => this.#device.allocate(length, dtype)),
    );
    this.#lasting.add(this.#storages[slot]!);
    if (!before) return;
    this.#lasting.delete(before);
    this.#device.release(before);
  }

  #rebind(slot: number, storage: Storage): void {
    this.#storages[slot] = storage;
    this.#forget(slot);
  }

  #forget(slot: number): void {
    for (const launch of this.#launches[slot]!) launch.prepared = undefined;
  }

  /** Memory for the planned slots; the others get theirs when they are made. */
  #acquire(): void {
    const device = this.#device;
    const { elementBytes } = device.division;
    passThrough(device, () => {
      const blocks: Storage[] = [];
      try {
        this.#hasMemory = true;
        for (const bytes of this.plan.blocks) blocks.push(device.allocate(Math.ceil(bytes / elementBytes), 'float32'));
        this.#planned.forEach((slot, i) => {
          const { block, offset } = this.plan.places[i]!;
          const { length, dtype } = this.#program.slots[slot]!;
          this.#storages[slot] = device.view(blocks[block]!, offset, length, dtype);
        });
      } finally {
        for (const block of blocks) device.release(block);
      }
    });
  }
}
