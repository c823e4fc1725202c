// Smoke runs of all papers, killed at random instants through the command line and started again with the same command: the end
// is the results of an undisturbed one. Killed is the command with its workers, or a worker alone, which the pool replaces.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { run, runResults, smokeOf, start } from './command.ts';

const tables = [
  'dmtl/table3',
  'multidepth/figure4',
  'multidepth/figure7',
  'cross-stitch/last-batch',
  'imbalanced-mtl/table2',
];

const folder = t.testdir();
const argsFor = (out: string): string[] => smokeOf(tables, '--jobs', '2', '--out', path.join(folder, out));

/** Processes that this one has started and that have not ended. */
async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=']);
  const rows = stdout.trim().split('\n').map((row) => row.trim().split(/\s+/).map(Number)); // prettier-ignore
  return rows.flatMap(([child, parent]) => (parent === pid ? [child!] : []));
}

const results = (out: string): Promise<string> => readFile(path.join(folder, out, 'results.json'), 'utf8');

t.test('killed at random instants', async (t) => {
  const began = performance.now();
  const whole = await run(argsFor('whole'), folder);
  const length = performance.now() - began;
  t.equal(whole.status, 0, whole.stderr);
  let killed = 0;
  for (let i = 0; i < 3; i++) {
    const { child, ended } = start(argsFor('killed'), folder);
    await Promise.race([new Promise((resolve) => setTimeout(resolve, Math.random() * 0.8 * length)), ended]);
    const workers = await childrenOf(child.pid!);
    const victims = i % 2 === 0 ? [child.pid!, ...workers] : workers.slice(0, 1);
    for (const pid of victims) {
      try {
        process.kill(pid, 'SIGKILL');
        killed++;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await ended;
  }
  t.comment(`${killed} processes killed`);
  const last = await run(argsFor('killed'), folder);
  t.equal(last.status, 0, last.stderr);
  t.equal(await results('killed'), await results('whole'));
  t.same(await runResults(path.join(folder, 'killed')), await runResults(path.join(folder, 'whole')));
});
