// `wgrad bench ladder`: how a kernel became fast. Its ancestors and the plan in use, each checked and then measured in turn.
import os from 'node:os';
import { Option } from 'commander';
import { ConfigError } from '../../engine/index.ts';
import { EXIT_FAILED } from '../../experiments/cli/errors.ts';
import { suggestion } from '../../experiments/runner/suggestion.ts';
import { DEFAULT_WIDTH, layOut } from '../../experiments/cli/tables.ts';
import type { Ladder } from '../../kernels/ladder.ts';
import { ladders } from '../../kernels/ladders.ts';
import { climb, type Effort, type LadderResult } from '../ladder/climb.ts';
import { type GroundName, groundNames, openGrounds } from '../ladder/grounds.ts';
import { headOf, writeDocument } from '../report/document.ts';
import { busyText, digits, ratioText, spreadOfMs } from '../report/tables.ts';
import { print, say } from '../../experiments/cli/output.ts';
import { type OutputFlags, showProgress, withOutput } from '../suites/output.ts';
import { commandWords, type Subcommand } from './subcommand.ts';

const effort: Effort = { rounds: 5, secondsPerRound: 0.2, secondsPerRung: 3 };

interface LadderFlags extends OutputFlags {
  device?: GroundName;
}

function chosen(names: readonly string[]): readonly Ladder<never>[] {
  if (names.includes('all')) return ladders;
  return names.map((name) => {
    const found = ladders.find((ladder) => ladder.name === name);
    if (found) return found;
    const known = ['all', ...ladders.map((ladder) => ladder.name)];
    throw new ConfigError(`there is no ladder '${name}'`, { hint: suggestion(name, known) });
  });
}

function list(): void {
  const rows = ladders.map(({ name, webgpu, wasm }) => [
    name,
    webgpu.map((rung) => rung.name).join(', '),
    wasm.map((rung) => rung.name).join(', '),
  ]);
  print(layOut(['ladder', 'webgpu', 'wasm'], rows, process.stdout.columns || DEFAULT_WIDTH));
}

/** What each rung did better, then how fast they are; `*` marks what the library takes at this size. */
function ladderText({ name, title, device, ceilings, rungs }: LadderResult, width: number): string {
  const lines = [`${name}: ${title} [${device}]`];
  const measured = rungs.filter((rung) => 'roof' in rung);
  for (const rung of measured) lines.push(`  ${rung.name}: ${rung.description}`);
  const rows = measured.map((rung) => [
    `${rung.name}${rung.isInUse ? ' *' : ''}`,
    spreadOfMs(rung),
    ratioText(rung.overFirst),
    ratioText(rung.overPrevious),
    rung.roof.binding === 'compute' ? `${digits(rung.gflops)} GFLOP/s` : `${digits(rung.gbps)} GB/s`,
    `${(100 * rung.roof.share).toFixed(1)} %`,
  ]);
  const head = ['* in use', 'time', 'x the first', 'x the one before', 'rate', 'of the ceiling'];
  lines.push(layOut(head, rows, width));
  for (const [where, { gflops, gbps }] of Object.entries(ceilings)) {
    lines.push(`ceilings of ${where}: ${digits(gflops)} GFLOP/s, ${digits(gbps)} GB/s`);
  }
  for (const rung of rungs)
    if ('wrong' in rung) lines.push(`${rung.name} is wrong and was not measured: ${rung.wrong}`);
  return lines.join('\n');
}

async function run(names: readonly string[], { device, json, out }: LadderFlags, words: string): Promise<number> {
  if (names.length === 0) {
    list();
    return 0;
  }
  const wanted = chosen(names);
  const [started, loadBefore] = [performance.now(), os.loadavg()];
  const results: LadderResult[] = [];
  const absent: string[] = [];
  const clocks: string[] = [];
  for (const grounds of await openGrounds(device, (message) => absent.push(message))) {
    clocks.push(`${grounds.title}: ${grounds.clock.method}`);
    for (const ladder of wanted.filter((each) => grounds.hasRungs(each))) {
      const result = await climb(ladder, grounds, effort, showProgress);
      showProgress('');
      if (!json) print(`${ladderText(result, process.stdout.columns || DEFAULT_WIDTH)}\n`);
      results.push(result);
    }
    grounds.dispose();
  }
  for (const message of absent) say(`not measured: ${message}`);
  const busy = busyText(loadBefore);
  if (busy) say(busy);
  const document = {
    ...headOf(words, { started, loadBefore }),
    method:
      `Each rung is held to the reference at small sizes and to the last rung at this one; then all take turns for at most ` +
      `${effort.rounds} rounds of at least ${effort.secondsPerRound} s each. Times in seconds; ratios are medians of the same ` +
      'round, and their median over the rounds. The share is the longer of flops at the rate of multiply-adds in registers ' +
      'and bytes at that of a long copy, both measured in the same rounds on the same device, over the time.',
    clocks,
    absent,
    ladders: results,
  };
  if (out !== undefined) await writeDocument(out, document);
  if (json) print(JSON.stringify(document, null, 2));
  return results.some(({ rungs }) => rungs.some((rung) => 'wrong' in rung)) ? EXIT_FAILED : 0;
}

export const ladder: Subcommand = (program, done) => {
  withOutput(program.command('ladder'))
    .description('how a kernel became fast: its slower ancestors beside the plan in use')
    .argument('[name...]', 'which ladders, or all (default: lists them)')
    .addOption(new Option('--device <name>', 'where (default: on both)').choices(groundNames))
    .action(async (names: string[], flags: LadderFlags, command) =>
      done(await run(names, flags, commandWords(command))),
    );
};
