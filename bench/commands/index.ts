// The subcommands of `wgrad bench`, in the order of the help. A new one is a file beside this and a line here.
import { ladder } from './ladder.ts';
import { quick } from './quick.ts';
import type { Subcommand } from './subcommand.ts';

export const subcommands: readonly Subcommand[] = [quick, ladder];
