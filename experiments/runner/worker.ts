// The program of a worker process: takes runs from its parent one after the other, and ends when the parent is gone.
import { WriteError } from '../../engine/errors.ts';
import { DeviceError, type Profile } from '../../engine/index.ts';
import type { DataFacts } from './paper.ts';
import { answerQuestion, type DeviceAnswer, type DeviceQuestion } from './probe.ts';
import { execute } from './execute.ts';
import type { RunRequest } from './store.ts';

export interface WorkerTask {
  readonly request: RunRequest;
  readonly out: string;
  /** What is worked out once for several runs. Default: `cache` in `out`. */
  readonly cache?: string;
  readonly dataFacts: DataFacts;
  readonly threads: number;
  /** Profile some of its steps. */
  readonly profile?: boolean;
  /** Run its training steps as they are. */
  readonly eager?: boolean | undefined;
}

export type WorkerMessage =
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'profile'; readonly profile: Profile }
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'done' }
  | {
      readonly type: 'failed';
      readonly message: string;
      /** Whether it was the machine that failed (a full disk, a lost device), not the run. */
      readonly again: boolean;
    };

const send = (message: WorkerMessage | DeviceAnswer): void => {
  if (process.connected) process.send?.(message);
};

const isOfMachine = (error: unknown): boolean =>
  error instanceof WriteError || error instanceof DeviceError || (error instanceof Error && 'code' in error);

function make({ request, out, cache, dataFacts, threads, profile, eager }: WorkerTask): void {
  const report = (done: number, total: number): void => send({ type: 'progress', done, total });
  const notice = (text: string): void => send({ type: 'notice', text });
  const profiled = profile ? (made: Profile): void => send({ type: 'profile', profile: made }) : undefined;
  execute(request, { out, cache, dataFacts, threads, eager, report, notice, profile: profiled }).then(
    () => send({ type: 'done' }),
    (error: unknown) => {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      send({ type: 'failed', message, again: isOfMachine(error) });
    },
  );
}

process.on('message', (message: WorkerTask | DeviceQuestion) => {
  if ('probe' in message) void answerQuestion(message).then(send);
  else make(message);
});
process.on('disconnect', () => process.exit(0));
// A terminal sends its signals to all processes of a command: whether to stop is for the parent to say, by SIGTERM. Ending by
// `exit` removes a file that was half written.
for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined);
process.on('SIGTERM', () => process.exit(143));
