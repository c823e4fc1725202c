// `wgrad bench compare`: the change of a result, or of one that is measured now, against the tracked ones.
import { type Command, Option } from 'commander';
import { DEFAULT_WIDTH } from '../../experiments/cli/tables.ts';
import { baselineFor, changes, changesText } from '../report/compare.ts';
import { readDocument, type ReadDocument } from '../report/document.ts';
import { resultsFolder } from '../contestants/roster.ts';
import { type Flags, runSession, type Session, withSession } from '../suites/session.ts';
import { kernelSuite } from '../suites/kernel.ts';
import { stepSuite } from '../suites/step.ts';
import { sweepSuite } from '../suites/sweep.ts';
import { print } from '../../experiments/cli/output.ts';
import { commandWords, type Subcommand } from './subcommand.ts';

const suites = { kernel: kernelSuite, sweep: sweepSuite, step: stepSuite } as const;

interface CompareFlags extends Flags {
  suite: keyof typeof suites;
  against?: string;
}

/** Measures a suite by itself and quietly. */
async function measured(flags: CompareFlags, words: string): Promise<ReadDocument> {
  const measure = (session: Session): Promise<void> => suites[flags.suite]({ ...session, show: () => undefined });
  const document = await runSession(flags.suite, { ...flags, json: false }, words, measure);
  return JSON.parse(JSON.stringify(document)) as ReadDocument;
}

async function run(file: string | undefined, flags: CompareFlags, words: string): Promise<number> {
  const after = file === undefined ? await measured(flags, words) : await readDocument(file);
  const before = flags.against ? await readDocument(flags.against) : (await baselineFor(after, resultsFolder)).document;
  if (flags.json) print(JSON.stringify(changes(before, after), null, 2));
  else print(changesText(before, after, process.stdout.columns || DEFAULT_WIDTH));
  return 0;
}

export const compare: Subcommand = (program, done) => {
  withSession(program.command('compare'))
    .description('the change of a result against the tracked ones; without a file of one that is measured now')
    .argument('[file]', 'what --out has written')
    .addOption(
      new Option('--suite <name>', 'what to measure without a file').choices(Object.keys(suites)).default('step'),
    )
    .option('--against <file>', 'the result to compare with (default: the most similar in bench/results)')
    .action(async (file: string | undefined, flags: CompareFlags, command: Command) =>
      done(await run(file, flags, commandWords(command))),
    );
};
