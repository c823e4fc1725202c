// `wgrad bench host`: the host's share of a training step on each device.
import os from 'node:os';
import { Option } from 'commander';
import { WgradError } from '../../engine/index.ts';
import { print, say } from '../../experiments/cli/output.ts';
import { DEFAULT_WIDTH, layOut } from '../../experiments/cli/tables.ts';
import { imbalancedStep, nanoShape } from '../networks/imbalanced-mtl.ts';
import { networks } from '../networks/index.ts';
import { toy } from '../networks/toy.ts';
import { documentText, headOf, writeDocument } from '../report/document.ts';
import { busyText, spreadOfMs } from '../report/tables.ts';
import { type HostCase, type HostDevice, type HostResult, measureHost } from '../suites/host.ts';
import { type OutputFlags, showProgress, withOutput } from '../suites/output.ts';
import { duration } from '../suites/session.ts';
import { commandWords, type Subcommand } from './subcommand.ts';

interface HostFlags extends OutputFlags {
  device: HostDevice | 'all';
  seconds: number;
}

const nano: HostCase = {
  name: 'imbalanced-mtl-nano',
  title: 'imbalanced-mtl UMST-S of preset laptop',
  build: imbalancedStep,
  shape: nanoShape('UMST-S'),
};

/** The networks whose whole steps are measured, at the size for two cores, and two of small launches; the toy network alone on slow loops. */
function casesOf(device: HostDevice): readonly HostCase[] {
  const isFast = device !== 'reference';
  const cases = [...networks.filter(({ isStep }) => isStep && isFast), toy].map((network) => ({
    ...network,
    shape: network.sizes.small[0]!,
  }));
  return isFast ? [...cases, nano] : cases;
}

function table(results: readonly HostResult[], width: number): string {
  const rows = results.map(({ network, device, launches, host, step, share, hostRatio, stepRatio, twoThreads }) => [
    network,
    device,
    String(launches),
    spreadOfMs(host.eager),
    host.compiled ? spreadOfMs(host.compiled) : '',
    hostRatio?.toFixed(2) ?? '',
    step ? spreadOfMs(step.eager) : '',
    share === undefined ? '' : `${(100 * share).toFixed(1)} %`,
    stepRatio?.toFixed(2) ?? '',
    twoThreads ? spreadOfMs(twoThreads.step) : '',
    twoThreads ? `${(100 * twoThreads.idleShare).toFixed(1)} %` : '',
  ]);
  const compiled = ['compiled', 'times as fast'];
  const head = [
    'step of',
    'device',
    'launches',
    'host',
    ...compiled,
    'whole step',
    "host's share",
    'compiled, times as fast',
    'two threads',
    'no kernel runs',
  ];
  return layOut(head, rows, width);
}

async function run({ device, seconds, json, out }: HostFlags, words: string): Promise<number> {
  const [started, loadBefore] = [performance.now(), os.loadavg()];
  const devices: readonly HostDevice[] = device === 'all' ? ['reference', 'wasm', 'webgpu'] : [device];
  const results: HostResult[] = [];
  for (const name of devices) {
    try {
      for (const each of casesOf(name)) {
        showProgress(`${each.title} on ${name}`);
        results.push(await measureHost(each, name, seconds));
      }
    } catch (error) {
      if (!(error instanceof WgradError) || device !== 'all') throw error;
      say(`not measured on ${name}: ${error.message}`);
    }
    showProgress('');
  }
  if (!json) print(table(results, process.stdout.columns || DEFAULT_WIDTH));
  const busy = busyText(loadBefore);
  if (busy) say(busy);
  const document = {
    ...headOf(words, { started, loadBefore }),
    method:
      `Times in seconds over ${seconds} s of steps, eager and compiled in turn: median, least and largest. The host's time is that of a step whose kernels ` +
      "do nothing: on wasm an empty module on one thread, on webgpu Dawn's null backend, which validates and encodes and has no " +
      'driver behind it; on reference the step less the time inside of kernels. The whole step runs with its kernels on one ' +
      'thread, on webgpu on the adapter that is there, unless it is a software adapter. On two threads compiled steps follow one another ' +
      'as in a training, and what no kernel ran in is counted by the queue of launches, from the end of one to the beginning of the next.',
    results,
  };
  if (out !== undefined) await writeDocument(out, document);
  if (json) print(documentText(document));
  return 0;
}

export const host: Subcommand = (program, done) => {
  withOutput(program.command('host'))
    .description("the host's share of a training step: recording, planning and binding, without the kernels")
    .addOption(
      new Option('--device <name>', 'where to compute').choices(['all', 'reference', 'wasm', 'webgpu']).default('all'),
    )
    .addOption(new Option('--seconds <s>', 'least time of each measurement').argParser(duration).default(1))
    .action(async (flags: HostFlags, command) => done(await run(flags, commandWords(command))));
};
