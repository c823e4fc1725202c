// progress.json in a run folder: the queue of a command with the state of each run, its pace and what it has said. Written while runs
// are made, for who watches the folder from another process (watch/); nothing reads it back to decide anything. Written by the process
// that waits for the workers, at most every two seconds, so that no run is slowed by it.
import path from 'node:path';
import { z } from 'zod';
import { writeWhole } from './files.ts';
import { type Display, keyOf, type RunEvent, type Snapshot } from './progress.ts';

/** Name of the file in the run folder. */
export const PROGRESS_FILE = 'progress.json';
/** Raised when a reader of the version before would misunderstand the file. */
export const PROGRESS_VERSION = 1;

const runSchema = z.object({
  paper: z.string(),
  run: z.string(),
  seed: z.number(),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  /** Its files in the folder without their endings, with slashes: `runs/<paper>/<run>-<fingerprint>/seed-<n>`. */
  place: z.string().optional(),
  /** Share of its steps done, 0 to 1. */
  share: z.number().optional(),
  stepsPerSecond: z.number().optional(),
  secondsLeft: z.number().optional(),
  seconds: z.number().optional(),
  /** Why it failed. */
  message: z.string().optional(),
});

/** Schema of progress.json. Times are in ISO 8601. */
export const progressSchema = z.object({
  version: z.literal(PROGRESS_VERSION),
  commandLine: z.array(z.string()),
  started: z.string(),
  updated: z.string(),
  /** Null while the command runs, and for ever where it was ended by force. */
  ended: z.enum(['done', 'stopped']).nullable(),
  share: z.number(),
  cells: z.number(),
  cellsDone: z.number(),
  stepsPerSecond: z.number().optional(),
  secondsLeft: z.number().optional(),
  runs: z.array(runSchema),
  log: z.array(z.object({ at: z.string(), text: z.string() })),
});

/** What progress.json holds. */
export type ProgressContent = z.infer<typeof progressSchema>;
type RecordedState = z.infer<typeof runSchema>;

/** A run of the command, before it is made. */
export interface ExpectedRun {
  readonly paper: string;
  readonly run: string;
  readonly seed: number;
  readonly isDone: boolean;
  /** Finds its place in the folder. Rejects as long as that depends on a run that is not finished. */
  place(): Promise<string>;
}

/** Milliseconds from one writing to the next. */
const INTERVAL_MS = 2000;
/** The last lines that are kept. */
const LOG_LINES = 200;

const now = (): string => new Date().toISOString();

/** A display that passes on all that it is told, and writes it to progress.json. */
export class RecordedDisplay implements Display {
  readonly #display: Display;
  readonly #file: string;
  readonly #commandLine: readonly string[];
  readonly #started = now();
  readonly #runs = new Map<string, RecordedState>();
  readonly #expected = new Map<string, ExpectedRun>();
  readonly #log: { at: string; text: string }[] = [];
  #snapshot: Snapshot | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(display: Display, out: string, commandLine: readonly string[]) {
    this.#display = display;
    this.#file = path.join(out, PROGRESS_FILE);
    this.#commandLine = commandLine;
  }

  /** Names the runs of the command, in the order in which they are to be made. From here on the file is written. */
  async expect(runs: readonly ExpectedRun[]): Promise<void> {
    for (const each of runs) {
      const { paper, run, seed, isDone } = each;
      const key = keyOf(each);
      this.#expected.set(key, each);
      this.#runs.set(key, { paper, run, seed, state: isDone ? 'done' : 'waiting' });
      // The file of a finished run says which run it is.
      if (!isDone) await this.#find(key);
    }
    await this.#write(null);
  }

  notice(text: string): void {
    this.#display.notice(text);
    this.#say(text);
    this.#schedule();
  }

  run(event: RunEvent, snapshot: Snapshot): void {
    this.#display.run(event, snapshot);
    const key = keyOf(event);
    const state = this.#runs.get(key);
    if (state && event.type === 'started') {
      state.state = 'running';
      void this.#find(key);
    } else if (state && event.type === 'failed') {
      state.state = 'failed';
      state.message = event.message;
      this.#say(`${key} failed: ${event.message?.split('\n')[0]}`);
    } else if (state) {
      Object.assign(state, { state: 'done', seconds: event.seconds });
      this.#say(`${key} is done`);
    }
    this.#snapshot = snapshot;
    this.#schedule();
  }

  progress(snapshot: Snapshot): void {
    this.#display.progress(snapshot);
    this.#snapshot = snapshot;
    this.#schedule();
  }

  end(): void {
    this.#display.end();
  }

  /** Writes the last state. */
  async close(ended: 'done' | 'stopped'): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#runs.size > 0) await this.#write(ended);
  }

  #say(text: string): void {
    this.#log.push({ at: now(), text });
    if (this.#log.length > LOG_LINES) this.#log.shift();
  }

  async #find(key: string): Promise<void> {
    const state = this.#runs.get(key);
    // A run that was begun is where it is whatever became of it; one that waits is looked for again.
    if (state && state.place === undefined)
      state.place = await this.#expected
        .get(key)!
        .place()
        .catch(() => undefined);
  }

  #schedule(): void {
    if (this.#timer || this.#runs.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#write(null);
    }, INTERVAL_MS).unref();
  }

  #content(ended: ProgressContent['ended']): ProgressContent {
    const { running = [], share = 0, cells = 0, cellsDone = 0, stepsPerSecond, secondsLeft } = this.#snapshot ?? {};
    const paces = new Map(running.map(({ name, ...pace }) => [name, pace]));
    return {
      version: PROGRESS_VERSION,
      commandLine: [...this.#commandLine],
      started: this.#started,
      updated: now(),
      ended,
      share,
      cells,
      cellsDone,
      stepsPerSecond,
      secondsLeft,
      runs: [...this.#runs].map(([key, state]) => ({ ...state, ...paces.get(key) })),
      log: this.#log,
    };
  }

  /** What cannot be written is said once: the runs go on without it. */
  #write(ended: ProgressContent['ended']): Promise<void> {
    const text = `${JSON.stringify(this.#content(ended))}\n`;
    this.#writing = this.#writing.then(async () => {
      try {
        await writeWhole(this.#file, text);
      } catch (error) {
        if (!this.#hasFailed) this.#display.notice(`${(error as Error).message}: the runs go on without it`);
        this.#hasFailed = true;
      }
    });
    return this.#writing;
  }
}
