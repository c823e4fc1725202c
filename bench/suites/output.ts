// What everything that measures does with its results: a line of progress, and the document on stdout or in a file.
import { type Command, Option } from 'commander';
import { canRedraw } from '../../experiments/cli/colour.ts';

export interface OutputFlags {
  json?: boolean;
  out?: string;
}

/** `--json` and `--out FILE`, as every subcommand that measures has them. */
export const withOutput = (command: Command): Command =>
  command
    .option('--json', 'one JSON document on stdout')
    .addOption(new Option('--out <file>', 'writes that document to a file'));

/** A line that is written over, on a terminal only. */
export function showProgress(text: string): void {
  if (canRedraw(process.stderr)) process.stderr.write(`\r\x1b[K${text}`);
}
