// `wgrad bench tune`: measures every plan that takes the shapes of the papers' networks, and writes the table that `--tuning`
// and createDevice take. A table of the same device in the file is replaced, those of others stay.
import { existsSync } from 'node:fs';
import os from 'node:os';
import { type Command, Option } from 'commander';
import { createDevice, DeviceError, OutOfMemoryError } from '../../engine/index.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { wgradVersion } from '../../experiments/runner/manifest.ts';
import { type MeasuredTable, readTuningFile, TUNING_FORMAT, type TuningFile } from '../../experiments/runner/tuning.ts';
import { type TunedDevice, tuningFacts } from '../../kernels/tuning.ts';
import { hostClock, openTimedWebGpu } from '../measure/clock.ts';
import { writeDocument } from '../report/document.ts';
import { launchesOf } from '../networks/harvest.ts';
import type { LaunchSpec } from '../suites/kernel-group.ts';
import { directionsOf } from '../suites/kernel.ts';
import { type Network, networks, type NetworkSize, shapesOf } from '../networks/index.ts';
import { busyText } from '../report/tables.ts';
import { readShapes } from '../networks/shapes.ts';
import { type Bench, candidatesOf, classesOf, measureClass } from '../suites/tune.ts';
import { duration, networkList, threadCount } from '../suites/session.ts';
import { print, say } from '../../experiments/cli/output.ts';
import { showProgress } from '../suites/output.ts';
import type { Subcommand } from './subcommand.ts';

const ROUNDS = 5;

interface TuneFlags {
  device: 'auto' | TunedDevice;
  threads: number;
  networks: readonly Network[];
  size?: NetworkSize;
  shapes?: string;
  seconds: number;
  out?: string;
  json?: boolean;
}

async function open(name: TuneFlags['device'], threads: number): Promise<Bench> {
  if (name === 'auto') {
    const device = await createDevice('auto', { threads: 1 });
    device.dispose();
    return open(device.name as TunedDevice, threads);
  }
  if (name === 'wasm') return { device: await createWasmDevice({ threads }), clock: hostClock };
  const { device, clock } = await openTimedWebGpu();
  return { device, clock, planFacts: device.planFacts };
}

/** Those of a file, or of the networks: at the papers' sizes on a GPU, at those for two cores elsewhere. */
async function launchesFor(bench: Bench, flags: TuneFlags): Promise<LaunchSpec[]> {
  if (flags.shapes !== undefined) return (await readShapes(flags.shapes)).flatMap(directionsOf);
  const isHardware = bench.planFacts?.software === false;
  const size = flags.size ?? (isHardware ? 'paper' : 'small');
  const found: LaunchSpec[] = [];
  for (const network of flags.networks) {
    showProgress(`shapes of ${network.name}`);
    for (const shape of shapesOf(network, size)) found.push(...(await launchesOf(network, shape)));
  }
  return found;
}

async function measure(bench: Bench, flags: TuneFlags, say: (line: string) => void): Promise<MeasuredTable> {
  const classes = classesOf(bench, await launchesFor(bench, flags));
  const rounds = { rounds: ROUNDS, secondsPerRound: flags.seconds / ROUNDS };
  const entries = [];
  for (const [i, spec] of classes.entries()) {
    showProgress(`${i + 1} of ${classes.length}: ${spec.kernel.name}, ${candidatesOf(bench, spec).join(', ')}`);
    try {
      const entry = await measureClass(bench, spec, rounds, (message) => say(`wrong: ${message}`));
      entries.push(entry);
      showProgress('');
      if (entry.plan !== entry.usual) {
        say(`${entry.kernel} ${entry.shapes}: ${entry.plan} ${entry.speedup} times as fast as ${entry.usual}`);
      }
    } catch (error) {
      // Too large for the device: the rule of thumb will have to do.
      if (!(error instanceof DeviceError) && !(error instanceof OutOfMemoryError)) throw error;
      say(`not measured: ${spec.kernel.name}: ${error.message.split('\n')[0]}`);
    }
  }
  const { name, facts, description } = bench.device;
  const changed = entries.filter(({ plan, usual }) => plan !== usual).length;
  say(`${description}: ${entries.length} classes of shapes, in ${changed} another plan than the usual one`);
  return {
    device: name as TunedDevice,
    facts: tuningFacts(name as TunedDevice, facts),
    description,
    wgrad: wgradVersion,
    finished: new Date().toISOString(),
    method: `${bench.clock.method}; plans in turn for ${ROUNDS} rounds of at least ${rounds.secondsPerRound} s each`,
    entries,
  };
}

const isSame = (a: MeasuredTable, b: MeasuredTable): boolean =>
  a.device === b.device && JSON.stringify(a.facts) === JSON.stringify(b.facts);

async function run(flags: TuneFlags): Promise<number> {
  const { out, json } = flags;
  // Before anything is measured: a file that is something else is not written over.
  const before = out !== undefined && existsSync(out) ? (await readTuningFile(out)).tables : [];
  const loadBefore = os.loadavg();
  const bench = await open(flags.device, flags.threads);
  const table = await measure(bench, flags, (line) => (json ? undefined : print(line)));
  bench.device.dispose();
  const file: TuningFile = {
    format: TUNING_FORMAT,
    tables: [...before.filter((each) => !isSame(each, table)), table],
  };
  if (out !== undefined) await writeDocument(out, file);
  if (json) print(JSON.stringify(file, null, 2));
  const busy = busyText(loadBefore);
  if (busy) say(busy);
  return 0;
}

export const tune: Subcommand = (program, done) => {
  (program.command('tune') as Command)
    .description('the fastest plan for every shape of the networks on this device, as a file for --tuning')
    .addOption(new Option('--device <name>', 'which to measure').choices(['auto', 'webgpu', 'wasm']).default('auto'))
    .addOption(
      new Option('--threads <n>', 'threads of the wasm device; a table holds for that number')
        .argParser(threadCount)
        .default(os.availableParallelism()),
    )
    .addOption(
      new Option('--networks <list>', networks.map(({ name }) => name).join(', '))
        .argParser(networkList)
        .default(networks, 'all'),
    )
    .addOption(
      new Option('--size <name>', "of the networks (default: the papers' on a GPU)").choices(['small', 'paper']),
    )
    .option('--shapes <file>', 'a JSON list of convolutions to take instead')
    .addOption(new Option('--seconds <s>', 'least time of each plan in each class').argParser(duration).default(0.1))
    .addOption(new Option('--out <file>', 'writes the table to a file, beside those of other devices'))
    .option('--json', 'the file on stdout')
    .action(async (flags: TuneFlags) => done(await run(flags)));
};
