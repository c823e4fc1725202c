#!/usr/bin/env node
// Entry of the command line: runs it and ends with its status.
import { CommanderError } from 'commander';
import { EXIT_BAD_INPUT, exitStatus, plainMessage } from './errors.ts';
import { buildProgram } from './program.ts';

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
    process.stderr.write(`wgrad: ${plainMessage(error)}\n`);
    return exitStatus(error);
  }
}

// A reader that has had enough (`wgrad list | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await main();
// Devices may hold threads and handles that keep node alive; what was written must get out first.
process.stdout.write('', () => process.exit());
