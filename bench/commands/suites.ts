// `wgrad bench sweep`, `step` and `all`: a convolution along every axis, whole training steps, and all suites one after the other.
import { kernelSuite } from '../suites/kernel.ts';
import { type Flags, runSession, type Session, withSession } from '../suites/session.ts';
import { stepSuite } from '../suites/step.ts';
import { sweepSuite } from '../suites/sweep.ts';
import { commandWords, type Subcommand } from './subcommand.ts';

function suite(
  name: 'sweep' | 'step' | 'all',
  description: string,
  measure: (session: Session) => Promise<void>,
): Subcommand {
  return (program, done) => {
    withSession(program.command(name))
      .description(description)
      .action(async (flags: Flags, command) => {
        await runSession(name, flags, commandWords(command), measure);
        done(0);
      });
  };
}

export const sweep = suite(
  'sweep',
  'one convolution along batch, channels, windows, strides and dilations',
  sweepSuite,
);

export const step = suite(
  'step',
  "training steps of the papers' networks, their memory and their first step",
  stepSuite,
);

export const all = suite('all', 'kernel, sweep and step, one after the other', async (session) => {
  await kernelSuite(session);
  await sweepSuite(session);
  await stepSuite(session);
});
