// `wgrad check`: what is wrong with a run folder, a line for each fault.
import { checkFolder, type Fault, rewriteFolder } from '../runner/check.ts';
import { EXIT_FAILED } from './errors.ts';
import { print, say } from './output.ts';

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

export interface CheckFlags {
  json?: boolean;
  /** Judge stale tables anew and write them, before the check. */
  rewrite?: boolean;
}

const faultText = ({ kind, file, what }: Fault): string => `${kind}: ${file}: ${what}`;

/** Returns the exit status: 1 where there is a fault. */
export async function checkCommand(folder: string, { json = false, rewrite = false }: CheckFlags): Promise<number> {
  if (rewrite && (await rewriteFolder(folder)).length > 0) {
    say('wgrad: nothing was written: there are faults besides stale values');
  }
  const checked = await checkFolder(folder);
  const { faults, tables, runs, checkpoints } = checked;
  if (json) print(JSON.stringify(checked, null, 2));
  else {
    faults.forEach((fault) => print(faultText(fault)));
    const from = runs > 0 ? `${count(runs, 'run file')}, ${count(checkpoints, 'checkpoint')}` : 'their values by seed';
    print(`${folder}: ${count(tables, 'table')} computed anew from ${from}: ${count(faults.length, 'fault')}`);
  }
  return faults.length > 0 ? EXIT_FAILED : 0;
}
