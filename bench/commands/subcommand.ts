// What a subcommand of `wgrad bench` is.
import type { Command } from 'commander';

/** Adds a subcommand to the program. Its action hands its exit status to `done`; errors are thrown (see main.ts). */
export type Subcommand = (program: Command, done: (status: number) => void) => void;

/** The command as it was given, for the document. */
export const commandWords = (command: Command): string =>
  ['wgrad bench', command.name(), ...(command.parent as Command & { rawArgs: string[] }).rawArgs.slice(1)].join(' ');
