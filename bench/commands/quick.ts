// `wgrad bench quick`: convolutions and a training step beside other engines, measured in turn, in under three minutes.
import os from 'node:os';
import { DEFAULT_WIDTH } from '../../experiments/cli/tables.ts';
import { quickCases } from '../suites/quick-cases.ts';
import { type Document, documentText, headOf, writeDocument } from '../report/document.ts';
import { busyText, caseText } from '../report/tables.ts';
import { type CaseResult, type Effort, Field, runCase } from '../contestants/run.ts';
import { print, say } from '../../experiments/cli/output.ts';
import { type OutputFlags, showProgress, withOutput } from '../suites/output.ts';
import { commandWords, type Subcommand } from './subcommand.ts';

const effort: Effort = { rounds: 5, secondsPerRound: 0.4, warmUpSeconds: 1, secondsPerPeer: 4 };

async function runAll(show: (result: CaseResult) => void): Promise<CaseResult[]> {
  const field = new Field();
  const results: CaseResult[] = [];
  try {
    for (const each of quickCases()) {
      const result = await runCase(each, field, effort, showProgress);
      showProgress('');
      show(result);
      results.push(result);
    }
  } finally {
    await field.close();
  }
  return results;
}

async function run({ json, out }: OutputFlags, words: string): Promise<number> {
  const [started, loadBefore] = [performance.now(), os.loadavg()];
  const width = process.stdout.columns || DEFAULT_WIDTH;
  const cases = await runAll((result) => {
    if (!json) print(`${caseText(result, width)}\n`);
  });
  const busy = busyText(loadBefore);
  if (busy) say(busy);
  const { rounds, secondsPerRound, warmUpSeconds } = effort;
  const document: Document = {
    suite: 'quick',
    ...headOf(words, { started, loadBefore }, cases),
    method:
      `Contestants take turns for at most ${rounds} rounds of at least ${secondsPerRound} s each, after ${warmUpSeconds} s of ` +
      `warming up; times in seconds; a ratio ` +
      'is the peer over ours, medians of the same round, and its median over the rounds.',
    cases,
  };
  if (out !== undefined) await writeDocument(out, document);
  if (json) print(documentText(document));
  return 0;
}

export const quick: Subcommand = (program, done) => {
  withOutput(program.command('quick'))
    .description(
      'convolutions and a training step on each device beside other engines, in under three minutes (the default)',
    )
    .action(async (flags: OutputFlags, command) => done(await run(flags, commandWords(command))));
};
