#!/usr/bin/env node
// Entry of the command line: runs it and ends with its status.
import { CommanderError } from 'commander';
import { styled } from './colour.ts';
import { EXIT_BAD_INPUT, EXIT_FAILED, exitStatus, plainMessage } from './errors.ts';
import { say, statusOfOutput, watchOutput } from './output.ts';
import { buildProgram } from './program.ts';
import { supervise } from './supervise.ts';

async function main(): Promise<number> {
  let status = 0;
  const program = buildProgram((value) => (status = value));
  const commands = [program, ...program.commands, ...program.commands.flatMap((command) => command.commands)];
  for (const command of commands) command.exitOverride();
  try {
    await program.parseAsync();
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_BAD_INPUT;
    say(`${styled('red', 'wgrad:')} ${plainMessage(error)}`);
    return exitStatus(error);
  }
}

watchOutput();
// A fault of the program, which no command expected: promises that nobody waited for among them.
process.on('uncaughtException', (error: unknown) => {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  say(`${styled('red', 'wgrad:')} an unexpected error, which is a bug in wgrad; please report it with the lines above`);
  process.exit(EXIT_FAILED);
});
// Devices may hold threads and handles that keep node alive.
process.exit(await statusOfOutput((await supervise()) ?? (await main())));
