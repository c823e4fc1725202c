// `wgrad bench`: wgrad beside other engines, measured in turn. What is not installed is reported as absent. The subcommands
// are in commands/index.ts.
import { Command, CommanderError } from 'commander';
import { WgradError } from '../engine/index.ts';
import { EXIT_BAD_INPUT, exitStatus, plainMessage } from '../experiments/cli/errors.ts';
import { finish, oneLine } from '../experiments/cli/options.ts';
import { printText, say as sayLine, stopWithoutReader } from '../experiments/cli/output.ts';
import { subcommands } from './commands/index.ts';

const help = `
Peers are installed with: npm ci --prefix bench/peers (PyTorch: any python3 that can import torch).`;

const say = (text: string): void => sayLine(`wgrad bench: ${oneLine(text)}`);

/** Builds the program. `done` takes the exit status of the subcommand that was run. */
export function buildBench(done: (status: number) => void): Command {
  const program = new Command('wgrad bench')
    .description('kernel and training benchmarks')
    .configureOutput({ writeOut: printText, outputError: say })
    .addHelpText('after', help);
  for (const add of subcommands) add(program, done);
  for (const command of [program, ...program.commands]) command.exitOverride().allowExcessArguments(false);
  finish(program);
  // Nothing else is left by a benchmark whose numbers nobody reads.
  return program.hook('preAction', (_, command) => {
    if (command.opts().out === undefined) stopWithoutReader();
  });
}

/** Without the name of a subcommand it is `quick`. */
const withDefault = ([first, ...rest]: readonly string[]): string[] => {
  const given = first === undefined ? [] : [first, ...rest];
  const isNamed = first !== undefined && (!first.startsWith('-') || ['-h', '--help'].includes(first));
  return isNamed ? given : ['quick', ...given];
};

/** Runs the command and returns its exit status: 0, or 2 with one line on stderr for input that cannot work. */
export async function bench(args: readonly string[]): Promise<number> {
  let status = 0;
  try {
    await buildBench((value) => (status = value)).parseAsync(withDefault(args), { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_BAD_INPUT;
    if (!(error instanceof WgradError)) throw error;
    say(plainMessage(error));
    return exitStatus(error);
  }
}
