// `wgrad verify`: some runs of a folder made again, by this version on this machine, in a folder that is thrown away afterwards.
// What a run needs is made again before it. Of each: whether it gives the same bits, the same within the spread over seeds, or neither, and what differs in how it was made.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ConfigError, type DeviceName } from '../../engine/index.ts';
import { asJson, type Difference, differences } from './difference.ts';
import { buildManifest, type Manifest } from './manifest.ts';
import { queueOf, storeOf } from './needs.ts';
import { type Part, planPart } from './plan.ts';
import { type QueuedRun, runTasks } from './pool.ts';
import type { Numbers, RecordedRun } from './recorded-runs.ts';
import { runNamed } from './runs.ts';
import type { RunRecord } from './store.ts';

export type Agreement = 'the same bits' | 'the same within the spread over seeds' | 'different';

export interface Verified {
  readonly run: RecordedRun;
  readonly agreement: Agreement | 'failed';
  /** The numbers that are not the same: recorded and new. */
  readonly numbers: readonly Difference[];
  /** What is not the same in how they were made: recorded and new. */
  readonly made: readonly Difference[];
  /** Why it could not be made again. */
  readonly failure: string | undefined;
}

function agreementOf(
  { numbers, spread }: RecordedRun,
  fresh: Numbers,
): { agreement: Agreement; numbers: Difference[] } {
  const found = differences(Object.fromEntries(numbers), Object.fromEntries(fresh));
  if (found.length === 0) return { agreement: 'the same bits', numbers: [] };
  const isClose = found.every(
    ({ at, a, b }) =>
      typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= (spread.get(at[0]!) ?? -Infinity),
  );
  return { agreement: isClose ? 'the same within the spread over seeds' : 'different', numbers: found };
}

/** What is compared of how runs were made, besides what each run's own file says. */
const compared = ['wgrad', 'source', 'lock', 'resultVersion', 'node', 'platform', 'processor'] as const;

const factsOf = (manifest: Manifest): object => Object.fromEntries(compared.map((name) => [name, manifest[name]]));

/** How the recorded run and its repetition were made, where they differ. */
function madeDifferently(recorded: RecordedRun, manifest: Manifest | undefined, fresh: RunRecord): Difference[] {
  const { paper, run, record } = recorded;
  const { plans: plansNow, ...deviceNow } = fresh.device;
  const { plans: ownPlans, ...ownDevice } = record?.device ?? { plans: undefined };
  const plans = ownPlans ?? manifest?.plans ?? {};
  // The manifest has the plans of all runs of its command, of which this one need not use all.
  const others = Object.keys(plansNow).filter((kernel) =>
    ownPlans
      ? differences(plans[kernel], plansNow[kernel]).length > 0
      : !plansNow[kernel]!.every((name) => plans[kernel]?.includes(name)),
  );
  const ofKernels = (of: Readonly<Record<string, readonly string[]>>): object =>
    Object.fromEntries(others.map((kernel) => [kernel, of[kernel]?.join(', ')]));
  const data = record?.data ?? manifest?.papers?.[paper.name]?.data ?? recorded.data;
  const { checksums, ...named } = fresh.data;
  const now = buildManifest([], [fresh], new Map(), []);
  const side = (facts: object, device: object | undefined, ...[settings, usedData, used, needs]: unknown[]): unknown =>
    asJson({ ...facts, device, [`settings of '${run}'`]: settings, data: usedData, plans: used, weights: needs });
  return differences(
    side(
      manifest ? factsOf(manifest) : {},
      record ? ownDevice : manifest?.device,
      recorded.settings,
      data,
      ofKernels(plans),
      record?.needs,
    ),
    side(
      manifest ? factsOf(now) : {},
      record || manifest ? deviceNow : undefined,
      fresh.configuration,
      'checksums' in data ? { ...named, checksums } : named,
      ofKernels(plansNow),
      record && fresh.needs,
    ),
  );
}

export interface VerifyOptions {
  readonly runs: readonly RecordedRun[];
  readonly manifest: Manifest | undefined;
  readonly data?: string | undefined;
  /** Default: the recorded one. */
  readonly device?: DeviceName | undefined;
  readonly signal: AbortSignal;
  /** Told of each run when it is done. */
  readonly report: (verified: Verified) => void;
}

/** Makes the runs again, one after the other. Throws DataError, ConfigError or DeviceError where one cannot be begun. */
export async function verifyRuns(options: VerifyOptions): Promise<Verified[]> {
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'wgrad-verify-'));
  try {
    const verified: Verified[] = [];
    for (const run of options.runs) {
      if (options.signal.aborted) break;
      const one = await verifyRun(run, scratch, options);
      verified.push(one);
      options.report(one);
    }
    return verified;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function verifyRun(recorded: RecordedRun, out: string, options: VerifyOptions): Promise<Verified> {
  const { paper, run, seed, preset, set } = recorded;
  const { manifest, data, signal } = options;
  const part: Part = {
    ...{ paper, tables: [], preset, seeds: [seed], set },
    data: await paper.dataFacts(preset, data, recorded.dataSet),
  };
  if (recorded.data.real && !part.data.real) {
    throw new ConfigError(`${paper.name} was trained on ${recorded.data.name}, and there is only a stand-in here`, {
      hint: 'Give the folder of the data with --data',
    });
  }
  const device = options.device ?? (recorded.device as DeviceName);
  const threads = Number(recorded.record?.device.facts.threads ?? 1);
  let failure: string | undefined;
  const ignore = (): void => undefined;
  const failed = (_run: QueuedRun, message: string): void => void (failure ??= message);
  const events = { started: ignore, progress: ignore, profile: ignore, notice: ignore, done: ignore, failed };
  const planned = await planPart(part, [runNamed(paper, run)], { out, device, data, notice: ignore });
  await runTasks(
    queueOf(planned, out, () => ({ threads })),
    1,
    events,
    signal,
  );
  const isMade = failure === undefined && !signal.aborted;
  const fresh = isMade ? await (await storeOf(planned.at(-1)!, out)).read() : undefined;
  if (!fresh) {
    const why = failure ?? (signal.aborted ? 'it was stopped' : 'it left no result');
    return { run: recorded, agreement: 'failed', numbers: [], made: [], failure: why };
  }
  const made = madeDifferently(recorded, manifest, fresh);
  return { run: recorded, ...agreementOf(recorded, recorded.numbersOf(fresh.result)), made, failure: undefined };
}
