// What a subcommand of `wgrad bench` is, and the options that several of them share.
import { type Command, Option } from 'commander';
import { canRedraw } from '../../experiments/cli/colour.ts';

export { print, say } from '../../experiments/cli/output.ts';

/** Adds a subcommand to the program. Its action hands its exit status to `done`; errors are thrown (see main.ts). */
export type Subcommand = (program: Command, done: (status: number) => void) => void;

/** A line that is written over, on a terminal only. */
export function showProgress(text: string): void {
  if (canRedraw(process.stderr)) process.stderr.write(`\r\x1b[K${text}`);
}

/** `--json` and `--out FILE`, as every subcommand that measures has them. */
export const withOutput = (command: Command): Command =>
  command
    .option('--json', 'one JSON document on stdout')
    .addOption(new Option('--out <file>', 'writes that document to a file'));

/** The command as it was given, for the document. */
export const commandWords = (command: Command): string =>
  ['wgrad bench', command.name(), ...(command.parent as Command & { rawArgs: string[] }).rawArgs.slice(1)].join(' ');

export interface OutputFlags {
  json?: boolean;
  out?: string;
}
