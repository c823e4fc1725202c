// One run folder as a watcher sees it: progress.json, the records of finished runs and the checkpoints of others, put together to
// groups of runs. Looks only when asked to, and reads only what has changed. Whatever is missing, broken or half written is a line
// among the problems.
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { isLocked } from '../runner/folder-lock.ts';
import type { Picture } from '../runner/paper.ts';
import { PROGRESS_FILE, type ProgressContent, progressSchema } from '../runner/progress-file.ts';
import {
  checkpointCurves,
  finishedRun,
  type FinishedRun,
  type Known,
  KnownFiles,
  picturesOf,
  readPlain,
  textOf,
} from './files.ts';
import type { FolderState, GroupNumbers, GroupState, RunState, RunStateName } from './state.ts';

type Curves = FinishedRun['curves'];

/** What the files of one seed say. */
interface SeedFiles {
  readonly seed: number;
  readonly record?: Known<FinishedRun> | undefined;
  readonly checkpoint?: Known<Curves> | undefined;
}

/** A run that has files. */
export interface WatchedRun {
  readonly paper: string;
  readonly run: string;
  /** Of its group. */
  readonly id: string;
  readonly seed: number;
  readonly curves: Curves;
  readonly metrics: FinishedRun['metrics'];
  /** When its file was written, in milliseconds since 1970. */
  readonly changed: number;
}

type Listed = ProgressContent['runs'][number];

/** The runs below one folder `runs/<paper>/<run>-<fingerprint>`, or those of a command that have none yet. */
interface Group {
  readonly id: string;
  readonly paper: string;
  run: string;
  readonly fingerprint: string | undefined;
  readonly folder: string | undefined;
  readonly files: Map<number, SeedFiles>;
  readonly listed: Map<number, Listed>;
}

const seedFile = /^seed-(\d+)(\.json|\.safetensors|\.previous\.safetensors)$/;

/** Names of what is of that kind in a folder: links are neither files nor folders. */
async function namesIn(folder: string, kind: 'isDirectory' | 'isFile'): Promise<string[] | undefined> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry[kind]()).map(({ name }) => name).sort(); // prettier-ignore
  } catch {
    return undefined;
  }
}

const bySeed = (a: { seed: number }, b: { seed: number }): number => a.seed - b.seed;

export class WatchedFolder {
  /** As it was given. */
  readonly name: string;
  readonly #folder: string;
  readonly #progress = new KnownFiles(async (handle) => progressSchema.parse(JSON.parse(await textOf(handle))));
  readonly #records = new KnownFiles(async (handle) => finishedRun(await textOf(handle)));
  readonly #checkpoints = new KnownFiles(checkpointCurves);
  #groups = new Map<string, Group>();

  constructor(folder: string) {
    this.name = folder;
    this.#folder = path.resolve(folder);
  }

  /** Looks at the folder. Never rejects. */
  async look(): Promise<FolderState> {
    const inside = await namesIn(this.#folder, 'isDirectory');
    const problems: string[] = [];
    if (!inside) {
      this.#groups = new Map();
      return { name: this.name, state: 'missing', groups: [], log: [], problems };
    }
    const groups = new Map<string, Group>();
    if (inside.includes('runs')) await this.#readRuns(groups, problems);
    const known = await this.#progress.get(path.join(this.#folder, PROGRESS_FILE));
    if (known?.problem !== undefined) problems.push(`${PROGRESS_FILE}: ${known.problem}`);
    const progress = known?.value;
    for (const each of progress?.runs ?? []) this.#addListed(groups, each);
    const isAtWork = await isLocked(this.#folder);
    this.#groups = groups;
    const states = [...groups.values()].map((group) => groupState(group, isAtWork));
    const { runs: _runs, log = [], version: _version, ended: _ended, ...rest } = progress ?? { log: [] };
    const isLeft = states.some(({ runs }) => runs.some(({ state }) => state === 'stopped' || state === 'waiting'));
    const { secondsLeft, stepsPerSecond, ...facts } = rest as Partial<ProgressContent>;
    return {
      name: this.name,
      state: isAtWork ? 'running' : states.length === 0 ? 'empty' : isLeft ? 'stopped' : 'done',
      ...facts,
      // Of a command that has ended nothing is left to wait for.
      ...(isAtWork ? { secondsLeft, stepsPerSecond } : {}),
      groups: states,
      log,
      problems,
    };
  }

  /** Curves and metrics of a group as they were at the last look; undefined where there is none of that name. */
  numbers(id: string): GroupNumbers | undefined {
    const group = this.#groups.get(id);
    if (!group) return undefined;
    const seeds = [...group.files.values()].sort(bySeed);
    const curves = seeds.map((files) => ({ seed: files.seed, values: curvesOf(files) }));
    const metrics = seeds.flatMap(({ seed, record }) =>
      record?.value ? [{ seed, values: record.value.metrics }] : [],
    );
    const namesOf = (of: readonly { values: object }[]) => new Set(of.flatMap(({ values }) => Object.keys(values)));
    return {
      curves: [...namesOf(curves)].map((name) => ({
        name,
        bySeed: curves.flatMap(({ seed, values }) => (values[name] ? [{ seed, values: values[name] }] : [])),
      })),
      metrics: [...namesOf(metrics)].map((name) => ({
        name,
        bySeed: metrics.flatMap(({ seed, values }) => (name in values ? [{ seed, value: values[name]! }] : [])),
      })),
    };
  }

  /** The sample pictures of the group's first seed that has any; undefined where there is no such group. */
  async pictures(id: string): Promise<readonly Picture[] | undefined> {
    const group = this.#groups.get(id);
    if (!group) return undefined;
    const first = firstWithPictures(group);
    if (!first) return [];
    const file = path.join(group.folder!, `seed-${first.seed}.json`);
    // Kept nowhere: they are most of the file.
    return (await readPlain(file, textOf).then((text) => text && picturesOf(text))) || [];
  }

  /** All runs that have files, with their numbers as they were at the last look. */
  *runs(): Generator<WatchedRun> {
    for (const { paper, run, id, files } of this.#groups.values()) {
      for (const each of [...files.values()].sort(bySeed)) {
        const { record, checkpoint, seed } = each;
        const known = record ?? checkpoint;
        if (!known || known.problem !== undefined) continue;
        const metrics = record?.value?.metrics ?? {};
        yield { paper, run, id, seed, curves: curvesOf(each), metrics, changed: Number(known.stamp.split(' ')[0]) };
      }
    }
  }

  async #readRuns(groups: Map<string, Group>, problems: string[]): Promise<void> {
    const runs = path.join(this.#folder, 'runs');
    for (const paper of (await namesIn(runs, 'isDirectory')) ?? []) {
      for (const place of (await namesIn(path.join(runs, paper), 'isDirectory')) ?? []) {
        const [, run = place, fingerprint] = /^(.*)-([0-9a-f]{8})$/.exec(place) ?? [];
        const id = `${paper}/${place}`;
        const folder = path.join(runs, paper, place);
        const group: Group = { id, paper, run, fingerprint, folder, files: new Map(), listed: new Map() };
        await this.#readSeeds(group, problems);
        if (group.files.size > 0) groups.set(id, group);
      }
    }
  }

  async #readSeeds(group: Group, problems: string[]): Promise<void> {
    const names = (await namesIn(group.folder!, 'isFile')) ?? [];
    const seeds = new Set(names.flatMap((name) => seedFile.exec(name)?.[1] ?? []));
    for (const seed of seeds) {
      const base = path.join(group.folder!, `seed-${seed}`);
      const record = await this.#records.get(`${base}.json`);
      const checkpoint = record ? undefined : await this.#checkpoint(base);
      for (const [known, ending] of [[record, '.json'], [checkpoint, '.safetensors']] as const) {
        if (known?.problem !== undefined) problems.push(`runs/${group.id}/seed-${seed}${ending}: ${known.problem}`);
      } // prettier-ignore
      if (record?.value) group.run = record.value.run;
      if (record ?? checkpoint) group.files.set(Number(seed), { seed: Number(seed), record, checkpoint });
    }
  }

  /** The last checkpoint. Between two renamings of a new one only the one before is there: the last is what was read of it. */
  async #checkpoint(base: string): Promise<Known<Curves> | undefined> {
    const file = `${base}.safetensors`;
    const before = this.#checkpoints.last(file);
    return (await this.#checkpoints.get(file)) ?? before ?? this.#checkpoints.get(`${base}.previous.safetensors`);
  }

  #addListed(groups: Map<string, Group>, listed: Listed): void {
    const { paper, run, seed, place } = listed;
    const [, , slug] = place?.split('/') ?? [];
    const there =
      slug === undefined
        ? [...groups.values()].filter((each) => each.paper === paper && each.run === run).at(-1)
        : groups.get(`${paper}/${slug}`);
    const id = there?.id ?? `${paper}/${slug ?? run}`;
    const group: Group = there ?? {
      ...{ id, paper, run, fingerprint: slug && /[0-9a-f]{8}$/.exec(slug)?.[0], folder: undefined },
      ...{ files: new Map(), listed: new Map() },
    };
    // The name of the folder is made of it, with other characters.
    group.run = run;
    group.listed.set(seed, listed);
    groups.set(id, group);
  }
}

const curvesOf = ({ record, checkpoint }: SeedFiles): Curves => record?.value?.curves ?? checkpoint?.value ?? {};

const firstWithPictures = ({ files }: Group): SeedFiles | undefined =>
  [...files.values()].sort(bySeed).find(({ record }) => (record?.value?.pictures ?? 0) > 0);

/** What a run is, by its files and, where it is of the last command, by what that says of it. */
function stateOf(files: SeedFiles | undefined, listed: Listed | undefined, isAtWork: boolean): RunStateName {
  if (files?.record?.value) return 'done';
  const state = listed?.state ?? 'stopped';
  if (state === 'running' || state === 'done') return state === 'running' && isAtWork ? 'running' : 'stopped';
  return state === 'waiting' && files && !isAtWork ? 'stopped' : state;
}

function runState(seed: number, { files, listed }: Group, isAtWork: boolean): RunState {
  const its = files.get(seed);
  const state = stateOf(its, listed.get(seed), isAtWork);
  const { share, stepsPerSecond, secondsLeft, message } = listed.get(seed) ?? {};
  const problem = its?.record?.problem ?? its?.checkpoint?.problem;
  const record = its?.record?.value;
  return {
    seed,
    state,
    ...(state === 'running' ? { share, stepsPerSecond, secondsLeft } : {}),
    ...(record ? { seconds: record.seconds, peakBytes: record.peakBytes } : {}),
    ...(state === 'failed' || problem !== undefined ? { message: state === 'failed' ? message : problem } : {}),
  };
}

function groupState(group: Group, isAtWork: boolean): GroupState {
  const { id, paper, run, fingerprint, files, listed } = group;
  const seeds = [...new Set([...files.keys(), ...listed.keys()])].sort((a, b) => a - b);
  const stamps = [...files.values()].map((each) => [each.seed, each.record?.stamp, each.checkpoint?.stamp]);
  return {
    ...{ id, paper, run, fingerprint },
    version: createHash('sha1').update(JSON.stringify(stamps)).digest('hex').slice(0, 12),
    hasCurves: [...files.values()].some((each) => Object.keys(curvesOf(each)).length > 0),
    pictures: firstWithPictures(group)?.record?.value?.pictures ?? 0,
    runs: seeds.map((seed) => runState(seed, group, isAtWork)),
  };
}
