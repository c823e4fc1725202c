// `wgrad worker` and `wgrad queue`: the machines that make the runs of a queue, and looking into it. What they need is loaded when they
// are used.
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { checkQueueUrl } from '../queue/url.ts';
import { EXIT_FAILED } from './errors.ts';
import { asOption, wholeNumber } from './options.ts';
import { print, say } from './output.ts';
import { untilSignal } from './signals.ts';

interface WorkerFlags {
  queue: string;
  out?: string;
  data?: string;
  jobs?: number;
  lease: number;
}

const DEFAULT_LEASE_S = 30;

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < 1 || value > 3600) {
    throw new InvalidArgumentError('Expected a number of seconds from 1 to 3600.');
  }
  return value;
}

async function workerCommand({ queue, out, data, jobs, lease }: WorkerFlags): Promise<number> {
  const { work } = await import('../queue/worker.ts');
  const { result, stoppedWith } = await untilSignal((signal) =>
    work({
      ...{ url: queue, data, jobs, signal, say },
      out: out === undefined ? undefined : path.resolve(out),
      leaseMs: lease * 1000,
    }),
  );
  return stoppedWith ?? result ?? 0;
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

async function statusCommand({ queue, json }: { queue: string; json?: boolean }): Promise<number> {
  const { queueStatus } = await import('../queue/admin.ts');
  const status = await queueStatus(queue, say);
  const { waiting, held, active, done, failed, workers } = status;
  if (json) {
    print(JSON.stringify(status));
    return failed.length > 0 ? EXIT_FAILED : 0;
  }
  print(`${count(workers.length, 'worker')}${workers.length > 0 ? `: ${workers.join(', ')}` : ''}`);
  print(`${count(waiting, 'run')} waiting, of which ${held} for another run or their next try`);
  print(`${active.length} under way${active.length > 0 ? `: ${active.join('; ')}` : ''}`);
  print(`${done} done and not fetched`);
  print(`${failed.length} failed${failed.length > 0 ? ':' : ''}`);
  for (const { key, reason } of failed) print(`  ${key}: ${reason}`);
  return failed.length > 0 ? EXIT_FAILED : 0;
}

/** What was done with runs, a line for each. */
function tell(keys: readonly string[], what: string): number {
  keys.forEach((key) => print(key));
  print(`${count(keys.length, 'run')} ${what}`);
  return 0;
}

export function addQueueCommands(program: Command, done: (status: number) => void): void {
  const server = 'redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE] of Redis or Valkey; rediss:// with TLS';
  program
    .command('worker')
    .description('makes the runs that `reproduce --queue` asks for, until it is stopped')
    .requiredOption('--queue <url>', server, asOption(checkQueueUrl))
    .option('--out <dir>', 'the run folder of the command that asks, where this machine shares it')
    .option('--data <dir>', 'folder of real data on this machine (default: as the command says)')
    .option('--jobs <n>', 'runs at a time (default: one per core)', wholeNumber)
    .option('--lease <seconds>', 'a worker that gives no sign of life so long is replaced', seconds, DEFAULT_LEASE_S)
    .action(async (flags: WorkerFlags) => done(await workerCommand(flags)));

  const queue = program
    .command('queue')
    .description('what is in a queue of runs, and taking it out or trying it again');
  const withUrl = (name: string): Command =>
    queue.command(name).requiredOption('--queue <url>', server, asOption(checkQueueUrl));
  withUrl('status')
    .description('workers, runs by state, and why those failed that did; the status is 1 where there are any')
    .option('--json', 'as JSON')
    .action(async (flags: { queue: string; json?: boolean }) => done(await statusCommand(flags)));
  withUrl('drain')
    .description('takes out all runs that no worker has begun')
    .action(async (flags: { queue: string }) =>
      done(tell(await (await import('../queue/admin.ts')).drainQueue(flags.queue, say), 'taken out')),
    );
  withUrl('retry')
    .description('has failed runs tried again')
    .argument('[run...]', 'their names, as `status` has them (default: all)')
    .action(async (runs: string[], flags: { queue: string }) =>
      done(tell(await (await import('../queue/admin.ts')).retryFailed(flags.queue, runs, say), 'to be tried again')),
    );
  withUrl('remove')
    .description('takes out these runs, unless they are under way')
    .argument('<run...>', 'their names, as `status` has them')
    .action(async (runs: string[], flags: { queue: string }) => {
      const out = await (await import('../queue/admin.ts')).removeRuns(flags.queue, runs, say);
      tell(out, 'taken out');
      done(out.length < runs.length ? EXIT_FAILED : 0);
    });
}
