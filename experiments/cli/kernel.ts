// `wgrad kernel`: the shaders of plans on small launches, run by the WGSL interpreter: whether they agree with the reference loops, their
// data races and barriers in non-uniform control flow; and one invocation, statement by statement.
import { showFinding } from '../../engine/devices/interpreter/index.ts';
import { ConfigError } from '../../engine/index.ts';
import { KernelChecks, type PlanCheck, planNames } from '../verification/kernels/check.ts';
import { stepThrough } from '../verification/kernels/step.ts';
import { nearest } from '../runner/suggestion.ts';
import { EXIT_FAILED } from './errors.ts';
import { print } from './output.ts';
import { DEFAULT_WIDTH, layOut } from './tables.ts';

export interface KernelFlags {
  /** The invocation to step through, as `global_invocation_id`. */
  step?: readonly [number, number, number];
  pass: number;
  statements: number;
  /** Launches of each plan. */
  launches: number;
  subgroup?: number;
  json?: boolean;
}

/** Names that are offered for one that is not known. */
const NEAREST = 5;

/** `3`, `3,0` or `3,0,0`. Throws ConfigError for what is none. */
export function parseInvocation(text: string): readonly [number, number, number] {
  const parts = text.split(',').map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : NaN));
  if (parts.length > 3 || parts.some(Number.isNaN)) {
    throw new ConfigError('an invocation is up to three whole numbers', { expected: 'x,y,z', given: text });
  }
  return [parts[0]!, parts[1] ?? 0, parts[2] ?? 0];
}

/** The plans that the words name: `kernel.plan`, or all of a kernel. Throws ConfigError, with the nearest names. */
function chosenPlans(words: readonly string[]): string[] {
  const all = planNames();
  if (words.length === 0) return all;
  return words.flatMap((word) => {
    const chosen = all.filter((name) => name === word || name.startsWith(`${word}.`));
    if (chosen.length > 0) return chosen;
    const known = [...all, ...new Set(all.map((name) => name.split('.')[0]!))];
    throw new ConfigError(`there is no kernel or plan '${word}'`, {
      expected: nearest(word, known, NEAREST).join(', '),
      hint: 'wgrad kernel alone checks all of them and prints their names',
    });
  });
}

const has = ({ findings }: PlanCheck, ...kinds: string[]): number =>
  findings.filter(({ kind }) => kinds.includes(kind)).length;

const isFaulty = ({ agrees, findings, failure }: PlanCheck): boolean =>
  !agrees || findings.length > 0 || failure !== undefined;

function agreement({ launches, difference, failure }: PlanCheck): string {
  if (failure !== undefined) return 'failed';
  if (launches === 0) return 'no launch';
  return difference === 0 ? 'exact' : difference.toExponential(1);
}

function table(checks: readonly PlanCheck[]): string {
  const head = ['plan', 'launches', 'difference', 'races', 'barriers', 'outside'];
  const rows = checks.map((check) => [
    check.name,
    String(check.launches),
    agreement(check),
    String(has(check, 'race')),
    String(has(check, 'barrier', 'subgroup')),
    String(has(check, 'bounds')),
  ]);
  return layOut(head, rows, DEFAULT_WIDTH);
}

async function step(checks: KernelChecks, names: readonly string[], flags: KernelFlags): Promise<number> {
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) {
    throw new ConfigError('one plan is stepped through at a time', {
      expected: 'kernel.plan, as matmul.tiles64',
      given: names.join(', '),
    });
  }
  const [launch] = checks.launchesOf(name);
  if (!launch) throw new ConfigError(`no operation's case launches ${name}`, { hint: 'Step through another plan' });
  const { step: invocation = [0, 0, 0], pass, statements } = flags;
  print(`${name} ${JSON.stringify(launch.params)}`);
  try {
    const options = { invocation, pass, most: statements };
    for (const line of await stepThrough(() => checks.run(launch, name), checks.device, options)) print(line);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError(error.message, { hint: 'Give --step and --pass another value' });
  }
  return 0;
}

/** The table of the checks, their faults one by one, and how many there are. */
function show(results: readonly PlanCheck[]): void {
  print(table(results));
  for (const { name, findings, failure, agrees, difference } of results) {
    if (failure !== undefined) print(`${name}: ${failure}`);
    if (!agrees) print(`${name}: differs from the reference by ${difference.toExponential(1)}`);
    for (const finding of findings) print(`${name}, pass ${finding.pass}: ${showFinding(finding, finding.module)}`);
  }
  const unmet = results.filter(({ launches }) => launches === 0).length;
  const faulty = results.filter(isFaulty).length;
  const met = results.length - unmet;
  print(`${met} plans, ${faulty} with faults${unmet ? `; ${unmet} that no operation's case launches` : ''}`);
}

/** Checks plans, or steps through one. The status says whether all are without fault. */
export async function kernelCommand(words: readonly string[], flags: KernelFlags): Promise<number> {
  const names = chosenPlans(words);
  const checks = await KernelChecks.open(flags.subgroup);
  try {
    if (flags.step) return await step(checks, names, flags);
    const results: PlanCheck[] = [];
    for (const name of names) results.push(await checks.check(name, flags.launches));
    if (flags.json) for (const each of results) print(JSON.stringify(each));
    else show(results);
    return results.some(isFaulty) ? EXIT_FAILED : 0;
  } finally {
    checks.dispose();
  }
}
