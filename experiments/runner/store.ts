// The run folder. One finished run is one JSON file, `runs/<paper>/<run>-<fingerprint>/seed-<n>.json`; an unfinished one has
// a checkpoint of the same name. The fingerprint covers every number that decides the result, so an old file is never taken
// for a run of other settings, and two commands with the same folder share their runs.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type DeviceName, type StateDict, type Tuning } from '../../engine/index.ts';
import { type Checkpoint, readCheckpoint, removeCheckpoint, writeCheckpoint, writeState } from './checkpoint.ts';
import type { DataFacts, Paper, PresetName, RunResult } from './paper.ts';
import { runNamed, settingsOf } from './runs.ts';
import { writeSealed } from './seal.ts';

/** Results of other versions of the trainer are not taken over. Raise it when a change alters results. */
export const RESULT_VERSION = 1;

export interface RunRequest {
  readonly paper: string;
  readonly run: string;
  readonly seed: number;
  readonly preset: PresetName;
  readonly device: DeviceName;
  readonly data: string | undefined;
  /** Measured tables of plans. Plans round in different orders, so a run belongs to its table. */
  readonly tuning?: Tuning | undefined;
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
  /** Seconds of this process; a resumed run counts its last part only. */
  readonly seconds: number;
  /** Arithmetic and the most bytes that tensors held, of this process too. Absent in records of earlier versions. */
  readonly flops?: number;
  readonly peakBytes?: number;
  readonly diagnostics?: Readonly<Record<string, number>>;
  readonly result: RunResult;
}

export class RunStore {
  readonly #file: string;
  readonly #fingerprint: string;

  constructor(out: string, request: RunRequest, paper: Paper, data: DataFacts) {
    const facts = {
      version: RESULT_VERSION,
      paper: request.paper,
      run: request.run,
      seed: request.seed,
      device: request.device,
      data,
      configuration: settingsOf(runNamed(paper, request.run), request.preset),
      ...(request.tuning ? { tuning: request.tuning.checksum } : {}),
    };
    const { seed, ...shared } = facts;
    const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
    this.#fingerprint = digest(facts);
    const slug = request.run.replace(/[^A-Za-z0-9.]+/g, '-');
    this.#file = path.join(out, 'runs', request.paper, `${slug}-${digest(shared).slice(0, 8)}`, `seed-${seed}`);
  }

  /** The finished run, if it is there and whole. */
  async read(): Promise<RunRecord | undefined> {
    try {
      return JSON.parse(await readFile(`${this.#file}.json`, 'utf8')) as RunRecord;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Stores the finished run; its checkpoint is no longer needed. */
  async write(record: RunRecord): Promise<void> {
    await writeSealed(`${this.#file}.json`, { version: RESULT_VERSION, ...record });
    await removeCheckpoint(`${this.#file}.safetensors`);
  }

  resume(): Promise<Checkpoint | undefined> {
    return readCheckpoint(`${this.#file}.safetensors`, this.#fingerprint);
  }

  /** Writes weights beside the record: `seed-<n>.<name>.safetensors`. */
  keep(name: string, state: StateDict, metadata: Readonly<Record<string, string>>): Promise<void> {
    return writeState(`${this.#file}.${name}.safetensors`, state, metadata);
  }

  save(checkpoint: Checkpoint): Promise<void> {
    return writeCheckpoint(`${this.#file}.safetensors`, checkpoint, this.#fingerprint);
  }
}
