// `wgrad reproduce --dry-run`: the runs that the same command would make, with what they cost. Trains nothing and writes nothing.
import { describeParts } from '../runner/plan.ts';
import { type ReproduceOptions, plan } from '../runner/reproduce.ts';
import { EXIT_FAILED } from './errors.ts';
import { print, say } from './output.ts';
import { DEFAULT_WIDTH, layOut } from './tables.ts';

const percent = (part: number, whole: number): string => `${whole > 0 ? ((100 * part) / whole).toFixed(0) : 0} %`;

/** Lists the runs, one a line, and returns the exit status. */
export async function dryRun(options: Omit<ReproduceOptions, 'display'>, json: boolean): Promise<number> {
  const planned = await plan(options, say);
  if (!planned) return EXIT_FAILED;
  const { parts, device, elsewhere } = planned;
  const runs = planned.runs.filter(({ key }) => elsewhere(key) === undefined);
  const workOf = (paper: string): number =>
    runs.reduce((sum, run) => sum + (run.request.paper === paper ? run.cost : 0), 0);
  /** The cheapest run of a paper that costs anything: what the others are measured by. */
  const unitOf = (paper: string): number =>
    Math.min(...runs.flatMap(({ request, cost }) => (request.paper === paper && cost > 0 ? [cost] : [])));
  if (json) {
    for (const { request, cost, record, needs } of runs) {
      const { paper, run, seed, preset, set } = request;
      const share = cost / (workOf(paper) || 1);
      const needed = needs.length > 0 ? { needs: needs.map(({ by }) => by.request.run) } : {};
      const onDisk = record !== undefined;
      print(JSON.stringify({ type: 'planned', paper, run, seed, preset, set, onDisk, cost, share, ...needed }));
    }
    return 0;
  }
  print(device.notice);
  describeParts(parts).forEach(print);
  const waits = runs.some(({ needs }) => needs.length > 0);
  const rows = runs.map(({ key, request, cost, record, needs }) => {
    const { paper } = request;
    const isFree = !(cost > 0);
    const times = isFree ? '0' : (cost / unitOf(paper)).toFixed(1);
    const after = waits ? [needs.map(({ by }) => by.request.run).join(', ')] : [];
    return [key, record ? 'on disk' : 'to make', times, percent(cost, workOf(paper)), ...after];
  });
  if (rows.length > 0) {
    const head = ['run', 'state', 'cost', 'share', ...(waits ? ['needs'] : [])];
    print(layOut(head, rows, process.stdout.columns || DEFAULT_WIDTH));
    print("cost: times the cheapest of the paper's runs here; share: of the arithmetic of the paper's runs here");
  }
  const found = runs.filter(({ record }) => record).length;
  print(`${runs.length - found} runs to make, ${found} on disk; nothing was trained or written`);
  return 0;
}
