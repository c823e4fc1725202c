// `wgrad bench kernel`: the kernels of the papers' networks, or of a file of shapes, below their ceilings and beside peers.
import { kernelSuite } from '../suites/kernel.ts';
import { type Flags, runSession, withSession } from '../suites/session.ts';
import { readShapes } from '../networks/shapes.ts';
import { commandWords, type Subcommand } from './subcommand.ts';

interface KernelFlags extends Flags {
  shapes?: string;
}

async function run(flags: KernelFlags, words: string): Promise<number> {
  const shapes = flags.shapes === undefined ? undefined : await readShapes(flags.shapes);
  await runSession('kernel', flags, words, (session) => kernelSuite(session, shapes));
  return 0;
}

export const kernel: Subcommand = (program, done) => {
  withSession(program.command('kernel'))
    .description(
      "every convolution of the papers' networks in three directions, and the largest launch of other kernels",
    )
    .option('--shapes <file>', 'a JSON list of convolutions to take instead')
    .action(async (flags: KernelFlags, command) => done(await run(flags, commandWords(command))));
};
