// A peer engine in a process of its own, spoken to in JSON lines (peers/protocol.mjs). A peer that does not start, dies or
// does not answer in time is absent with a reason; it never ends the benchmark.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { AbsentError, type Contestant } from './contestant.ts';
import type { CaseShape, Summary } from '../peers/protocol.mjs';

interface Facts {
  name: string;
  version: string;
  details: string;
  adapter?: string;
}

interface Answer extends Partial<Facts> {
  absent?: string;
  results?: Summary[];
  times?: number[];
  /** Answers of a fresh process (suites/fresh-steps.ts). */
  once?: object;
  memory?: object;
}

const DEFAULT_LIMIT_MS = 60_000;
const STDERR_KEPT = 2000;

/** One answer per line; lines that are no JSON objects are an engine's own chatter. */
export class Conversation {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #limitMs: number;
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  #ended: string | undefined;
  #stderr = '';

  constructor(command: readonly string[], limitMs: number) {
    this.#limitMs = limitMs;
    this.#child = spawn(command[0]!, command.slice(1), { stdio: 'pipe' });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.#child.stdin.on('error', () => undefined); // the process has ended, which `close` tells
    this.#child.on('error', (error: NodeJS.ErrnoException) =>
      this.#end(error.code === 'ENOENT' ? `there is no command ${command[0]}` : error.message),
    );
    this.#child.on('close', (status, signal) => {
      const lines = this.#stderr.trim().split('\n');
      const why = lines.findLast((line) => line.includes('Error')) ?? lines.at(-1);
      this.#end(`ended with ${signal ?? `status ${status}`}${why ? `: ${why}` : ''}`);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const answer = JSON.parse(line) as Answer;
      if (answer.absent === undefined) this.#waiting?.resolve(answer);
      else this.#waiting?.reject(new AbsentError(answer.absent));
    });
  }

  /** The next answer, after sending `request` if there is one. */
  ask(request?: object): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (this.#ended !== undefined) return reject(new AbsentError(this.#ended));
      const timer = setTimeout(() => {
        reject(new AbsentError(`no answer within ${this.#limitMs / 1000} s`));
        this.close();
      }, this.#limitMs);
      this.#waiting = {
        resolve(answer) {
          clearTimeout(timer);
          resolve(answer);
        },
        reject(error) {
          clearTimeout(timer);
          reject(error);
        },
      };
      if (request) this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  close(): void {
    this.#child.kill();
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#waiting?.reject(new AbsentError(this.#ended));
  }
}

/** A process and how it introduces itself. */
async function introduce(command: readonly string[], limitMs: number): Promise<[Conversation, Answer]> {
  const conversation = new Conversation(command, limitMs);
  return [conversation, await conversation.ask()];
}

/** Starts a process that speaks the protocol. Throws AbsentError if it does not introduce itself. */
export const converse = async (command: readonly string[], limitMs: number): Promise<Conversation> =>
  (await introduce(command, limitMs))[0];

/** Starts a peer. Throws AbsentError if it does not introduce itself. */
export async function startPeer(command: readonly string[], limitMs = DEFAULT_LIMIT_MS): Promise<Contestant> {
  const [conversation, { name = '', version = '', details = '', adapter }] = await introduce(command, limitMs);
  return {
    name,
    version,
    details,
    ...(adapter === undefined ? {} : { adapter }),
    prepare: async (benchmark: string, shape: CaseShape) =>
      (await conversation.ask({ prepare: benchmark, shape })).results ?? [],
    measure: async (seconds: number) => (await conversation.ask({ measure: seconds })).times ?? [],
    close: () => conversation.close(),
  };
}

/** The first of several commands that `start` can start. Throws AbsentError with the reason of the last. */
async function first<Started>(
  commands: readonly (readonly string[])[],
  start: (command: readonly string[]) => Promise<Started>,
): Promise<Started> {
  let failure: unknown;
  for (const command of commands) {
    try {
      return await start(command);
    } catch (error) {
      if (!(error instanceof AbsentError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

export const startFirst = (commands: readonly (readonly string[])[], limitMs?: number): Promise<Contestant> =>
  first(commands, (command) => startPeer(command, limitMs));

export const converseFirst = (commands: readonly (readonly string[])[], limitMs: number): Promise<Conversation> =>
  first(commands, (command) => converse(command, limitMs));
