// Runs that are made with the weights of other runs, as a student with those of its teacher. Which run it is then follows from these
// weights too: its request is complete once the runs that it needs are finished, and other weights make another run.
import { ConfigError, DataError } from '../../engine/index.ts';
import { checkpointChecksum } from './checkpoint.ts';
import type { Part } from './plan.ts';
import { type NeededWeights, type Notice, type RunRecord, type RunRequest, RunStore } from './store.ts';
import type { QueuedRun } from './pool.ts';
import type { WorkerTask } from './worker.ts';

/** A run of a command, for one seed. */
export interface PlannedRun {
  readonly key: string;
  readonly part: Part;
  /** Without what it needs: see `completed`. */
  readonly request: RunRequest;
  /** Arithmetic relative to the paper's other runs. */
  readonly cost: number;
  /** What must be finished before it. */
  readonly needs: readonly { readonly by: PlannedRun; readonly weights: string }[];
  /** The finished run, where it is on disk. */
  readonly record: RunRecord | undefined;
}

type Unread = Omit<PlannedRun, 'record'>;

/** The request with the weights that the run is made with. Rejects with DataError where one of them is not there, or not whole. */
async function completed({ request, needs }: Unread, out: string): Promise<RunRequest> {
  if (needs.length === 0) return request;
  const weights: NeededWeights[] = [];
  for (const { by, weights: name } of needs) {
    const file = (await storeOf(by, out)).weightsFile(name);
    weights.push({ run: by.request.run, file, checksum: await checkpointChecksum(file) });
  }
  return { ...request, needs: weights };
}

/** Where a run is kept. Rejects as long as a run that it needs is not finished. */
export async function storeOf(run: Unread, out: string): Promise<RunStore> {
  return new RunStore(out, await completed(run, out), run.part.paper, run.part.data);
}

/**
 * The finished run, where it is on disk with all weights that others need of it. `notice` is told of what is damaged: the run is made
 * again.
 */
export async function recordOf(
  run: Unread,
  wanted: Iterable<string>,
  out: string,
  notice: Notice,
): Promise<RunRecord | undefined> {
  // Which run it is shows when these are finished.
  if (run.needs.some(({ by }) => !by.record)) return undefined;
  const store = await storeOf(run, out);
  const record = await store.read(notice);
  for (const name of record ? wanted : []) {
    const file = store.weightsFile(name);
    try {
      await checkpointChecksum(file);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      notice(`${file} is missing or damaged, and another run needs it: the run is made again`);
      return undefined;
    }
  }
  return record;
}

/** The runs as a queue for workers, those that are on disk left out. `taskOf` adds how each is made. */
export function queueOf(
  runs: readonly PlannedRun[],
  out: string,
  taskOf: (run: PlannedRun) => Pick<WorkerTask, 'threads' | 'replicas' | 'profile' | 'eager' | 'wide'>,
): QueuedRun[] {
  return runs
    .filter(({ record }) => !record)
    .map((run) => ({
      key: run.key,
      request: run.request,
      needs: run.needs.map(({ by }) => by.key),
      async prepare() {
        const request = await completed(run, out);
        const { paper, data } = run.part;
        // The same weights made again lead to the same run, which may be there.
        const isThere = run.needs.length > 0 && (await new RunStore(out, request, paper, data).read()) !== undefined;
        return isThere ? undefined : { request, out, dataFacts: data, ...taskOf(run) };
      },
    }));
}

/**
 * The longest chain of work that begins with each run, itself included: runs that others wait for come before those of the same cost
 * that nobody waits for.
 */
export function urgencies(runs: readonly PlannedRun[]): Map<string, number> {
  const urgency = new Map<string, number>();
  // A run stands behind those that it needs.
  for (const { key, cost, needs } of [...runs].reverse()) {
    const own = cost + (urgency.get(key) ?? 0);
    urgency.set(key, own);
    for (const { by } of needs) urgency.set(by.key, Math.max(urgency.get(by.key) ?? 0, own));
  }
  return urgency;
}

/** Files of the needed weights by run, for the one that is made with them. Rejects with DataError where one has changed since. */
export async function neededFiles({ needs = [] }: RunRequest): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const { run, file, checksum } of needs) {
    const given = await checkpointChecksum(file);
    if (given !== checksum) {
      throw new DataError(`${file} has changed since '${run}' was finished`, { expected: checksum, given });
    }
    files.set(run, file);
  }
  return files;
}

/** The file of the weights of a run that is needed. Throws ConfigError where it is none of those. */
export function neededFile(needed: ReadonlyMap<string, string> | undefined, run: string): string {
  const file = needed?.get(run);
  if (file === undefined) {
    throw new ConfigError(`the weights of '${run}' are not among those that were needed`, {
      expected: [...(needed?.keys() ?? [])].join(', ') || 'a run that names what it needs',
    });
  }
  return file;
}
