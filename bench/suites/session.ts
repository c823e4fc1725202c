// What the measuring subcommands have in common: flags, the device with its clock and threads, who takes part, progress, and
// the document at the end.
import os from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { createDevice, DeviceError } from '../../engine/index.ts';
import { wholeBetween } from '../../experiments/cli/options.ts';
import { DEFAULT_WIDTH } from '../../experiments/cli/tables.ts';
import { openTimedWebGpu } from '../measure/clock.ts';
import { print, say } from '../../experiments/cli/output.ts';
import { type OutputFlags, withOutput } from './output.ts';
import { AbsentError } from '../contestants/contestant.ts';
import {
  type Document,
  documentText,
  type Group,
  headOf,
  type StepFacts,
  type Suite,
  writeDocument,
} from '../report/document.ts';
import { type Network, networks, type NetworkSize } from '../networks/index.ts';
import { type Ours, startOurs } from '../contestants/ours.ts';
import { busyText } from '../report/tables.ts';
import { type BenchDevice, parsePeers } from '../contestants/roster.ts';
import { type CaseResult, type Effort, Field } from '../contestants/run.ts';
import { ConfigError } from '../../engine/index.ts';

export interface Flags extends OutputFlags {
  device: BenchDevice | 'auto';
  threads: number;
  peers: readonly string[];
  seconds: number;
  size: NetworkSize;
  /** In place of the networks' own. */
  batch?: number;
  networks: readonly Network[];
}

const ROUNDS = 5;
/** Beside our own time: a peer may be many times slower. */
const PEER_FACTOR = 10;
const LARGEST_THREADS = 64;
const LARGEST_BATCH = 4096;

export const threadCount = wholeBetween(1, LARGEST_THREADS);

export function duration(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0) || value > 3600)
    throw new InvalidArgumentError('Expected seconds, 0 to 3600.');
  return value;
}

export function networkList(text: string): readonly Network[] {
  const known = networks.map(({ name }) => name);
  return text.split(',').map((name) => {
    const network = networks.find((each) => each.name === name.trim());
    if (!network) throw new ConfigError(`there is no network '${name}'`, { expected: `some of ${known.join(', ')}` });
    return network;
  });
}

/** Adds the flags of a subcommand that measures. */
export const withSession = (command: Command): Command =>
  withOutput(command)
    .addOption(new Option('--device <name>', 'where to compute').choices(['auto', 'webgpu', 'wasm']).default('auto'))
    .addOption(
      new Option('--threads <n>', 'threads of the wasm device and of peers')
        .argParser(threadCount)
        .default(os.availableParallelism()),
    )
    .addOption(
      new Option('--peers <list>', 'all, none, or names with commas')
        .argParser(parsePeers)
        .default(parsePeers('all'), 'all'),
    )
    .addOption(new Option('--seconds <s>', 'least time of each contestant in each case').argParser(duration).default(1))
    .addOption(
      new Option('--size <name>', "of the networks: for two cores, or the papers'")
        .choices(['small', 'paper'])
        .default('small'),
    )
    .addOption(
      new Option('--batch <n>', 'images in a batch of the networks, instead of their own').argParser(
        wholeBetween(1, LARGEST_BATCH),
      ),
    )
    .addOption(
      new Option('--networks <list>', networks.map(({ name }) => name).join(', '))
        .argParser(networkList)
        .default(networks, 'all'),
    );

/** Everything that a suite adds to. */
export interface Session {
  readonly ours: Ours;
  readonly field: Field;
  readonly flags: Flags;
  readonly effort: Effort;
  readonly width: number;
  readonly cases: CaseResult[];
  readonly groups: Group[];
  readonly steps: StepFacts[];
  /** Prints a block of text, unless the output is JSON. */
  show(text: string): void;
}

async function openDevice(name: Flags['device'], threads: number): Promise<Ours> {
  try {
    if (name === 'wasm') return await startOurs('wasm', threads);
    if (name === 'webgpu') return await startOurs('webgpu', undefined, openTimedWebGpu);
    const device = await createDevice('auto', { threads });
    device.dispose();
    return await openDevice(device.name as BenchDevice, threads);
  } catch (error) {
    if (error instanceof AbsentError) throw new DeviceError(error.message, { operation: 'bench', cause: error });
    throw error;
  }
}

/** Warming up of training steps, in times of the measuring: a network's hundred functions are compiled one by one. */
export const STEP_WARM_UP = 2;

/** Ceilings of a run: the best of those beside its groups. */
function overallCeilings(groups: readonly Group[]): Document['ceilings'] {
  const seen = groups.flatMap(({ ceilings }) => ceilings ?? []);
  if (seen.length === 0) return undefined;
  return { gflops: Math.max(...seen.map(({ gflops }) => gflops)), gbps: Math.max(...seen.map(({ gbps }) => gbps)) };
}

/** Opens the device, lets the suite measure, and writes the document. */
export async function runSession(
  suite: Suite,
  flags: Flags,
  words: string,
  measure: (session: Session) => Promise<void>,
): Promise<Document> {
  const [started, loadBefore] = [performance.now(), os.loadavg()];
  const ours = await openDevice(flags.device, flags.threads);
  const { seconds, json } = flags;
  const effort = { rounds: ROUNDS, secondsPerRound: seconds / ROUNDS, secondsPerPeer: PEER_FACTOR * seconds };
  const session: Session = {
    ours,
    field: new Field(),
    flags,
    effort,
    width: process.stdout.columns || DEFAULT_WIDTH,
    cases: [],
    groups: [],
    steps: [],
    show: (text) => (json ? undefined : print(`${text}\n`)),
  };
  try {
    await measure(session);
  } finally {
    await session.field.close();
    ours.close();
  }
  const busy = busyText(loadBefore);
  if (busy) say(busy);
  const { cases, groups, steps } = session;
  const ceilings = overallCeilings(groups);
  const document: Document = {
    suite,
    ...headOf(words, { started, loadBefore }, cases),
    device: ours.details,
    ...(ours.adapter === undefined ? {} : { driver: ours.adapter }),
    method:
      `Contestants take turns for at most ${ROUNDS} rounds of at least ${effort.secondsPerRound} s each, in training steps ` +
      `after ${STEP_WARM_UP * seconds} s of warming up; times in seconds, ` +
      'medians with the least and the largest; a ratio is the peer over ours, medians of the same round, and its median over ' +
      `the rounds. Ours: ${ours.clock.method}. Ceilings: a copy too large for caches, and chains of multiply-adds in ` +
      'registers, in turn with the kernels, the best of the run; a share is the time at the binding ceiling over the time taken, more than 1 where operands stay in a cache.',
    ...(ceilings ? { ceilings } : {}),
    cases,
    groups,
    steps,
  };
  if (flags.out !== undefined) await writeDocument(flags.out, document);
  if (json) print(documentText(document));
  return document;
}
