// The run folder. One finished run is one JSON file, `runs/<paper>/<run>-<fingerprint>/seed-<n>.json`; an unfinished one has
// a checkpoint of the same name. The fingerprint covers every number that decides the result, so an old file is never taken
// for a run of other settings, and two commands with the same folder share their runs.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { type DeviceName, type StateDict, type Tuning } from '../../engine/index.ts';
import { type Checkpoint, readCheckpoint, removeCheckpoint, writeCheckpoint, writeState } from './checkpoint.ts';
import { removeLeftovers } from './files.ts';
import type { DataFacts, Paper, PresetName, RunResult } from './paper.ts';
import { type Overrides, runNamed, settingsOf } from './runs.ts';
import { writeSealed } from './seal.ts';

/** Results of other versions of the trainer are not taken over. Raise it when a change alters results. */
export const RESULT_VERSION = 1;

export interface RunRequest {
  readonly paper: string;
  readonly run: string;
  readonly seed: number;
  readonly preset: PresetName;
  /** Settings that the command changes. */
  readonly set?: Overrides | undefined;
  readonly device: DeviceName;
  readonly data: string | undefined;
  /** Measured tables of plans. Plans round in different orders, so a run belongs to its table. */
  readonly tuning?: Tuning | undefined;
  /** The weights of other runs that it is made with. With other weights it is another run. */
  readonly needs?: readonly NeededWeights[] | undefined;
}

/** Weights that a finished run has kept. */
export interface NeededWeights {
  readonly run: string;
  readonly file: string;
  /** Of what the file holds. */
  readonly checksum: string;
}

export interface RunRecord {
  /** `RESULT_VERSION`; in the file only, and not in those of earlier versions. */
  readonly version?: number;
  readonly paper: string;
  readonly run: string;
  readonly seed: number;
  readonly preset: PresetName;
  /** Its settings. */
  readonly configuration: object;
  readonly data: DataFacts;
  readonly device: {
    readonly name: DeviceName;
    readonly description: string;
    readonly facts: Readonly<Record<string, string | number | boolean>>;
    /** Plans used, by kernel. */
    readonly plans: Readonly<Record<string, readonly string[]>>;
  };
  /** Checksums of the weights of other runs that it was made with, by the key of the run. */
  readonly needs?: Readonly<Record<string, string>>;
  /** Seconds of this process; a resumed run counts its last part only. */
  readonly seconds: number;
  /** Arithmetic and the most bytes that tensors held, of this process too. Absent in records of earlier versions. */
  readonly flops?: number;
  readonly peakBytes?: number;
  /** Threads that have made it together, where they were more than one. They change no bit of it. */
  readonly replicas?: number;
  readonly diagnostics?: Readonly<Record<string, number>>;
  readonly result: RunResult;
}

/** What the judging and the report rely on in a record of the disk. */
export const recordSchema = z.looseObject({
  version: z.number().optional(),
  paper: z.string(),
  run: z.string(),
  seed: z.number(),
  configuration: z.looseObject({}),
  data: z.looseObject({ name: z.string(), real: z.boolean() }),
  device: z.looseObject({
    name: z.string(),
    facts: z.looseObject({}),
    plans: z.record(z.string(), z.array(z.string())),
  }),
  needs: z.record(z.string(), z.string()).optional(),
  seconds: z.number(),
  // JSON writes numbers that are not finite as null.
  result: z.looseObject({ metrics: z.record(z.string(), z.number().nullable()) }),
});

/** Checksums by the key of the run. */
export const checksumsOf = (needs: readonly NeededWeights[]): Record<string, string> =>
  Object.fromEntries(needs.map(({ run, checksum }) => [run, checksum]));

/** Told of what a user should know, as one line. */
export type Notice = (text: string) => void;

export class RunStore {
  /** The run's files in the folder without their endings, with slashes: `runs/<paper>/<run>-<fingerprint>/seed-<n>`. */
  readonly place: string;
  readonly #file: string;
  readonly #fingerprint: string;

  constructor(out: string, request: RunRequest, paper: Paper, data: DataFacts) {
    // A note beside the data makes no other run.
    const { name, real, checksums } = data;
    const facts = {
      version: RESULT_VERSION,
      paper: request.paper,
      run: request.run,
      seed: request.seed,
      device: request.device,
      data: { name, real, checksums },
      configuration: settingsOf(runNamed(paper, request.run), request.preset, request.set),
      ...(request.tuning ? { tuning: request.tuning.checksum } : {}),
      ...(request.needs ? { needs: checksumsOf(request.needs) } : {}),
    };
    const { seed, ...shared } = facts;
    const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
    this.#fingerprint = digest(facts);
    const slug = request.run.replace(/[^A-Za-z0-9.]+/g, '-');
    this.place = `runs/${request.paper}/${slug}-${digest(shared).slice(0, 8)}/seed-${seed}`;
    this.#file = path.join(out, this.place);
  }

  /** The finished run, if it is there and whole. `notice` is told of one that is damaged: it will be made again. */
  async read(notice: Notice = () => undefined): Promise<RunRecord | undefined> {
    const file = `${this.#file}.json`;
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      // ENOTDIR: a file stands where the folder would.
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
    try {
      return recordSchema.parse(JSON.parse(text)) as unknown as RunRecord;
    } catch {
      notice(`${file} is damaged: the run is made again`);
      return undefined;
    }
  }

  /** Stores the finished run; its checkpoint is no longer needed. */
  async write(record: RunRecord): Promise<void> {
    await writeSealed(`${this.#file}.json`, { version: RESULT_VERSION, ...record });
    await removeCheckpoint(`${this.#file}.safetensors`);
    await removeLeftovers(`${this.#file}.`);
  }

  /** The last whole checkpoint, if there is one. `notice` is told of one that is damaged. */
  resume(notice?: Notice): Promise<Checkpoint | undefined> {
    return readCheckpoint(`${this.#file}.safetensors`, this.#fingerprint, notice);
  }

  /** Writes weights beside the record: `seed-<n>.<name>.safetensors`. */
  keep(name: string, state: StateDict, metadata: Readonly<Record<string, string>>): Promise<void> {
    return writeState(this.weightsFile(name), state, metadata);
  }

  /** Where the run keeps weights of that name. */
  weightsFile(name: string): string {
    return `${this.#file}.${name}.safetensors`;
  }

  save(checkpoint: Checkpoint): Promise<void> {
    return writeCheckpoint(`${this.#file}.safetensors`, checkpoint, this.#fingerprint);
  }
}
