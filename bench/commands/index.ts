// The subcommands of `wgrad bench`, in the order of the help. A new one is a file beside this and a line here.
import { compare } from './compare.ts';
import { compileProgram } from './compile.ts';
import { host } from './host.ts';
import { kernel } from './kernel.ts';
import { ladder } from './ladder.ts';
import { page } from './page.ts';
import { quick } from './quick.ts';
import type { Subcommand } from './subcommand.ts';
import { all, step, sweep } from './suites.ts';
import { tune } from './tune.ts';

export const subcommands: readonly Subcommand[] = [
  quick,
  kernel,
  sweep,
  step,
  all,
  host,
  ladder,
  tune,
  compare,
  page,
  compileProgram,
];
