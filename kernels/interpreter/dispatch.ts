// Runs a program on buffers: workgroup after workgroup, and in each every invocation up to where it waits. Memory of a workgroup
// begins as zeros, as on WebGPU. With what runs goes the account of what must not happen (findings.ts).
import { type Finding, Findings, type Invocation } from './findings.ts';
import { type Access, Memory, type Now, type OnRace } from './memory.ts';
import type { Builtins, FixIndex, InvocationState, Program, Run, Stop } from './program.ts';
import { subgroupResults } from './subgroup.ts';

/** The bytes of a buffer. */
export interface BoundBuffer {
  readonly bytes: ArrayBuffer;
  readonly offset?: number;
  readonly length?: number;
}

/** Before a statement of one invocation: where it stands, and the variables there. */
export type Step = Stop & { readonly kind: 'step' };

/** Watches one invocation: told before each statement, and of each access to memory. */
export interface Watcher {
  readonly workgroup: readonly [number, number, number];
  readonly local: readonly [number, number, number];
  step(step: Step): void;
  access(access: Access): void;
}

/** How a program is run. */
export interface DispatchOptions {
  /** Invocations of a subgroup: neighbours in the order of `local_invocation_index`. Default 8. */
  readonly subgroupSize?: number;
  readonly watcher?: Watcher;
}

type Triple = readonly [number, number, number];

interface Lane {
  readonly state: InvocationState;
  readonly generator: Generator<Stop, void, unknown> | undefined;
  stop: Stop | undefined;
  result: unknown;
  isDone: boolean;
}

/** A program that is ready to be run on any buffers. */
export class Dispatcher {
  readonly program: Program;
  readonly #memories: readonly Memory[];
  readonly #run: Run;
  readonly #now: Now & { epoch: { workgroup: number; storage: number } };
  #findings = new Findings();
  #grid: Triple = [1, 1, 1];
  #size: Triple = [1, 1, 1];
  #subgroupSize = 8;
  #watcher: Watcher | undefined;

  constructor(program: Program) {
    this.program = program;
    this.#now = { invocation: 0, first: 0, epoch: { workgroup: 1, storage: 1 }, watch: undefined };
    this.#memories = program.memories.map(
      ({ name, space, isWritable }) => new Memory(name, space, isWritable, this.#now, this.#race),
    );
    this.#run = program.link(this.#memories, { overread: this.#fix('overread'), bounds: this.#fix('bounds') });
  }

  /**
   * Runs `grid` workgroups on the buffers by their binding numbers, and gives what was found. Throws RangeError where a buffer is
   * missing, ShaderError for a loop without end.
   */
  dispatch(grid: Triple, buffers: ReadonlyMap<number, BoundBuffer>, options: DispatchOptions = {}): readonly Finding[] {
    this.#findings = new Findings();
    this.#grid = grid;
    this.#size = this.program.workgroupSize;
    this.#subgroupSize = options.subgroupSize ?? 8;
    this.#watcher = options.watcher;
    for (const [i, { space, binding, name }] of this.program.memories.entries()) {
      if (space === 'workgroup') continue;
      const bound = buffers.get(binding);
      if (!bound) throw new RangeError(`no buffer is bound to '${name}', which has binding ${binding}`);
      this.#memories[i]!.bind(bound.bytes, bound.offset, bound.length);
    }
    const invocations = this.#size[0] * this.#size[1] * this.#size[2];
    let group = 0;
    for (let z = 0; z < grid[2]; z++) {
      for (let y = 0; y < grid[1]; y++) {
        for (let x = 0; x < grid[0]; x++) this.#workgroup([x, y, z], invocations * group++);
      }
    }
    return this.#findings.all;
  }

  #workgroup(workgroup: Triple, first: number): void {
    this.#now.first = first;
    this.#advance('workgroup');
    this.#advance('storage');
    for (const [i, { space }] of this.program.memories.entries()) {
      if (space === 'workgroup') this.#memories[i]!.bind(new ArrayBuffer(4 * this.program.wordsOf(i)));
    }
    const [width, height, depth] = this.#size;
    const count = width * height * depth;
    const lanes: Lane[] = [];
    for (let index = 0; index < count; index++) {
      const state = { builtins: this.#builtins(workgroup, index, count), privates: [] };
      this.#begin(index);
      const generator = this.#run(state);
      lanes.push({ state, generator, stop: undefined, result: undefined, isDone: generator === undefined });
    }
    while (lanes.some((lane) => !lane.isDone)) {
      lanes.forEach((lane, index) => {
        if (!lane.isDone && !lane.stop) this.#resume(lane, index);
      });
      if (!this.#exchange(lanes)) this.#passBarrier(lanes);
    }
    this.#now.watch = undefined;
  }

  #builtins(workgroup: Triple, index: number, count: number): Builtins {
    const [width, height, depth] = this.#size;
    const local: Triple = [index % width, Math.floor(index / width) % height, Math.floor(index / (width * height))];
    const sizes: Triple = [width, height, depth];
    return {
      workgroup_id: workgroup,
      num_workgroups: this.#grid,
      local_invocation_id: local,
      local_invocation_index: index,
      global_invocation_id: workgroup.map((at, i) => at * sizes[i]! + local[i]!),
      subgroup_invocation_id: index % this.#subgroupSize,
      subgroup_size: this.#subgroupSize,
      subgroup_id: Math.floor(index / this.#subgroupSize),
      num_subgroups: Math.ceil(count / this.#subgroupSize),
    };
  }

  #advance(space: 'workgroup' | 'storage'): void {
    this.#now.epoch[space]++;
  }

  #begin(index: number): void {
    this.#now.invocation = this.#now.first + index;
    const watcher = this.#watcher;
    this.#now.watch = undefined;
    if (!watcher) return;
    const { workgroup, local } = this.#invocation(this.#now.invocation);
    const isWatched = [...workgroup, ...local].every((at, i) => at === [...watcher.workgroup, ...watcher.local][i]);
    if (isWatched) this.#now.watch = (access) => watcher.access(access);
  }

  #resume(lane: Lane, index: number): void {
    this.#begin(index);
    const isWatched = this.#now.watch !== undefined;
    let next = lane.generator!.next(lane.result);
    while (!next.done && next.value.kind === 'step') {
      if (isWatched) this.#watcher!.step(next.value);
      next = lane.generator!.next();
    }
    lane.isDone = next.done === true;
    lane.stop = next.done ? undefined : next.value;
    lane.result = undefined;
  }

  /** Lets the subgroups exchange values that wait for it. False if none does. */
  #exchange(lanes: readonly Lane[]): boolean {
    let isAny = false;
    for (let first = 0; first < lanes.length; first += this.#subgroupSize) {
      const group = lanes.slice(first, first + this.#subgroupSize);
      const leader = group.findIndex(({ stop }) => stop?.kind === 'subgroup');
      const call = group[leader]?.stop;
      if (call?.kind !== 'subgroup') continue;
      isAny = true;
      const isSame = ({ stop }: Lane): boolean =>
        stop?.kind === 'subgroup' && stop.site === call.site && stop.path === call.path;
      const odd = group.findIndex((lane) => !isSame(lane));
      if (odd >= 0) {
        this.#report('subgroup', call, first + leader, first + odd, group[odd]!.stop);
      }
      const taking = group.flatMap((lane, i) => (isSame(lane) ? [i] : []));
      const results = subgroupResults(
        taking,
        taking.map((i) => group[i]!.stop as Stop & { kind: 'subgroup' }),
      );
      taking.forEach((i, k) => {
        const lane = group[i]!;
        lane.result = results[k];
        lane.stop = undefined;
      });
    }
    return isAny;
  }

  /** All that still run wait at barriers, which ought to be one and the same, with none missing. */
  #passBarrier(lanes: readonly Lane[]): void {
    const leader = lanes.findIndex(({ stop }) => stop?.kind === 'barrier');
    const barrier = lanes[leader]?.stop;
    if (barrier?.kind !== 'barrier') return;
    const isSame = ({ stop }: Lane): boolean =>
      stop?.kind === 'barrier' && stop.site === barrier.site && stop.path === barrier.path;
    const odd = lanes.findIndex((lane) => !isSame(lane));
    if (odd >= 0) this.#report('barrier', barrier, leader, odd, lanes[odd]!.stop);
    this.#advance(barrier.scope);
    for (const lane of lanes) lane.stop = undefined;
  }

  #report(kind: 'barrier' | 'subgroup', stop: Stop, leader: number, odd: number, where: Stop | undefined): void {
    const line = this.#line(stop.site);
    const otherLine = where && this.#line(where.site);
    this.#findings.add(kind, line, otherLine ?? 0, stop.name, () => {
      const elsewhere =
        where === undefined
          ? 'has returned'
          : where.site === stop.site
            ? 'is there on another way through the calls and loops'
            : `waits at ${where.name} in line ${otherLine}`;
      const who = kind === 'barrier' ? 'of the workgroup' : 'of the subgroup';
      return {
        message: `${stop.name} in line ${line} is in non-uniform control flow: an invocation ${who} ${elsewhere}`,
        ...(otherLine === undefined ? {} : { otherLine }),
        invocation: this.#invocation(this.#now.first + leader),
        other: this.#invocation(this.#now.first + odd),
      };
    });
  }

  readonly #race: OnRace = (memory, word, site, other, otherSite, isWrite) => {
    const [line, otherLine] = [this.#line(site), this.#line(otherSite)];
    this.#findings.add('race', line, otherLine, memory.name, () => ({
      message: `data race on '${memory.name}', word ${word}: ${isWrite ? 'written' : 'read'} in line ${line} with no barrier after the access in line ${otherLine}`,
      otherLine,
      invocation: this.#invocation(this.#now.invocation),
      other: this.#invocation(other),
    }));
  };

  #fix(kind: 'overread' | 'bounds'): FixIndex {
    return (index, count, site) => {
      if (index >= 0 && index < count) return index;
      const line = this.#line(site);
      this.#findings.add(kind, line, 0, '', () => ({
        message: `index ${index} of ${kind === 'overread' ? 'a buffer' : 'an array'} of ${count} in line ${line}`,
        invocation: this.#invocation(this.#now.invocation),
      }));
      return index < 0 ? 0 : Math.max(0, count - 1);
    };
  }

  #line(site: number): number {
    return this.program.sites[site]!.line;
  }

  #invocation(number: number): Invocation {
    const [width, height, depth] = this.#size;
    const count = width * height * depth;
    const index = number % count;
    const group = Math.floor(number / count);
    return {
      workgroup: [
        group % this.#grid[0],
        Math.floor(group / this.#grid[0]) % this.#grid[1],
        Math.floor(group / (this.#grid[0] * this.#grid[1])),
      ],
      local: [index % width, Math.floor(index / width) % height, Math.floor(index / (width * height))],
    };
  }
}
