// How far a command is: runs and cells done, what is running, steps per second, time left. Pure bookkeeping; displays in
// the command line draw it. Time left comes from the relative cost of the runs, so long runs count for more.
import type { RunRequest } from './store.ts';

export interface Snapshot {
  readonly cellsDone: number;
  readonly cells: number;
  readonly runsDone: number;
  readonly runs: number;
  /** Names of the runs under way. */
  readonly current: readonly string[];
  /** How far each of them is, in the same order. */
  readonly running: readonly RunningSnapshot[];
  readonly stepsPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
  /** Share of the work done, 0 to 1. */
  readonly share: number;
}

export interface RunningSnapshot {
  readonly name: string;
  /** Share of its steps done, 0 to 1. */
  readonly share: number;
  readonly stepsPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

export interface RunEvent {
  readonly type: 'started' | 'done' | 'failed' | 'found';
  readonly paper: string;
  readonly run: string;
  readonly seed: number;
  readonly seconds?: number;
  readonly message?: string;
}

/** Who is told: a progress bar, lines of text, or lines of JSON. */
export interface Display {
  /** Something that people should know before it starts: the device and why, the data. */
  notice(text: string): void;
  run(event: RunEvent, snapshot: Snapshot): void;
  progress(snapshot: Snapshot): void;
  end(): void;
}

/** Of a run, what tells it from others. */
interface Requested {
  readonly request: Pick<RunRequest, 'paper' | 'run' | 'seed'>;
}

interface Running {
  name: string;
  cost: number;
  done: number;
  total: number;
  since: number;
  /** Where it stood when first heard of: a resumed run does not begin at 0. */
  first: { done: number; at: number } | undefined;
}

/** Cells of the command and the runs (by `keyOf`) each one waits for. */
export type CellNeeds = readonly (readonly string[])[];

export const keyOf = (run: { paper: string; run: string; seed: number }): string =>
  `${run.paper} ${run.run}, seed ${run.seed}`;

export class Progress {
  readonly #needs: CellNeeds;
  readonly #finished = new Set<string>();
  readonly #running = new Map<string, Running>();
  readonly #runs: number;
  readonly #totalCost: number;
  readonly #started: number;
  readonly #now: () => number;
  #costDone = 0;
  /** Part of the cost that was done before this command: it took none of its time. */
  #costInherited = 0;

  /** `costs`: every run of the command that still has to be made. */
  constructor(needs: CellNeeds, found: readonly string[], costs: readonly number[], now = () => performance.now()) {
    this.#needs = needs;
    found.forEach((key) => this.#finished.add(key));
    this.#runs = found.length + costs.length;
    this.#totalCost = costs.reduce((sum, cost) => sum + cost, 0);
    this.#now = now;
    this.#started = now();
  }

  start({ request }: Requested, cost: number): void {
    const name = keyOf(request);
    this.#running.set(name, { name, cost, done: 0, total: 1, since: this.#now(), first: undefined });
  }

  update({ request }: Requested, done: number, total: number): void {
    const running = this.#running.get(keyOf(request));
    if (!running) return;
    if (!running.first) {
      running.first = { done, at: this.#now() };
      // A run from its beginning has made but a few steps by its first report.
      if (done > total / 20) this.#costInherited += (running.cost * done) / total;
    }
    Object.assign(running, { done, total });
  }

  /** Returns the seconds it took. */
  finish({ request }: Requested): number {
    const key = keyOf(request);
    const running = this.#running.get(key);
    this.#running.delete(key);
    this.#finished.add(key);
    this.#costDone += running?.cost ?? 0;
    return running ? (this.#now() - running.since) / 1000 : 0;
  }

  snapshot(): Snapshot {
    const now = this.#now();
    const running = [...this.#running.values()];
    const cost = running.reduce(
      (sum, { cost, done, total }) => sum + (cost * done) / Math.max(1, total),
      this.#costDone,
    );
    const share = this.#totalCost > 0 ? cost / this.#totalCost : 1;
    const elapsed = (now - this.#started) / 1000;
    const states = running.map(({ name, done, total, first }): RunningSnapshot => {
      const isMoving = first && done > first.done && now > first.at;
      const stepsPerSecond = isMoving ? (1000 * (done - first.done)) / (now - first.at) : undefined;
      const secondsLeft = stepsPerSecond === undefined ? undefined : (total - done) / stepsPerSecond;
      return { name, share: done / Math.max(1, total), stepsPerSecond, secondsLeft };
    });
    const rates = states.flatMap(({ stepsPerSecond }) => stepsPerSecond ?? []);
    const made = cost - this.#costInherited;
    return {
      cellsDone: this.#needs.filter((runs) => runs.every((run) => this.#finished.has(run))).length,
      cells: this.#needs.length,
      runsDone: this.#finished.size,
      runs: this.#runs,
      current: running.map(({ name }) => name),
      running: states,
      stepsPerSecond: rates.length > 0 ? rates.reduce((sum, rate) => sum + rate, 0) : undefined,
      secondsLeft: made > 0.01 * this.#totalCost ? (elapsed * (this.#totalCost - cost)) / made : undefined,
      share,
    };
  }
}
