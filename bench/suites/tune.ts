// Measures which plan is the fastest for each class of shapes on one device: every candidate that takes the shape is held to
// the rule of thumb's result, then all are timed in turn. Another plan than the usual one is taken only where it is faster in
// every round.
import type { Device } from '../../engine/index.ts';
import { costOf, type Kernel, type ParamValues } from '../../kernels/index.ts';
import type { OwnPlans } from '../../kernels/plan.ts';
import { shapeClass } from '../../kernels/tuning.ts';
import { wasmPlans } from '../../kernels/wasm.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import type { WebGpuFacts } from '../../kernels/plan.ts';
import type { MeasuredEntry } from '../../experiments/runner/tuning.ts';
import type { Clock } from '../measure/clock.ts';
import { largestDifference } from '../measure/difference.ts';
import { inTurn, type Rounds } from '../measure/in-turn.ts';
import type { LaunchSpec } from './kernel-group.ts';
import { type LaunchWork, prepareLaunch } from '../measure/launches.ts';
import { ratio } from '../measure/statistics.ts';

/** The device to measure, and how it plans. */
export interface Bench {
  readonly device: Device;
  readonly clock: Clock;
  /** The adapter's facts; absent on wasm. */
  readonly planFacts?: WebGpuFacts;
}

/** How many times as fast another plan must be than the usual one. */
const WORTH = 1.05;
/** A candidate that takes longer than so many times the usual plan is not measured again. */
const HOPELESS = 4;
/** Of results relative to their root mean square: the same sums in another order. */
const TOLERANCE = 1e-3;

type Planner = (params: never, prefer?: string) => string;

/** The name of the plan that a device takes for a launch. */
function plannerOf({ device, planFacts }: Bench, kernel: Kernel<never>): Planner {
  if (planFacts) return (params, prefer) => webGpuPlans.get(kernel)(params, planFacts, prefer).name;
  const facts = { threads: Number(device.facts.threads), relaxedSimd: device.facts.relaxedSimd === true };
  return (params, prefer) => wasmPlans.get(kernel)(params, facts, prefer).name;
}

const variantsOf = ({ planFacts }: Bench, kernel: Kernel<never>): readonly string[] =>
  (planFacts ? webGpuPlans : wasmPlans).variants(kernel);

/** The kernel with one of its own plans, whatever the rule says. */
export function kernelWithPlan(kernel: Kernel<never>, plan: string): Kernel<never> {
  const plans: OwnPlans<never> = {
    webgpu: (params, facts) => webGpuPlans.get(kernel)(params, facts, plan),
    wasm: (params, facts) => wasmPlans.get(kernel)(params, facts, plan),
  };
  return { ...kernel, name: `${kernel.name} ${plan}`, plans };
}

/** The plans that take a launch, the usual one first. */
export function candidatesOf(bench: Bench, { kernel, params }: LaunchSpec): string[] {
  const planner = plannerOf(bench, kernel);
  const usual = planner(params as never);
  const others = variantsOf(bench, kernel).filter((name) => name !== usual && planner(params as never, name) === name);
  return [usual, ...others];
}

/** Launches with a choice, one for each class of shapes: that of the most work. */
export function classesOf(bench: Bench, launches: readonly LaunchSpec[]): LaunchSpec[] {
  const classes = new Map<string, { spec: LaunchSpec; work: number }>();
  for (const spec of launches) {
    if (candidatesOf(bench, spec).length < 2) continue;
    const { flops, bytes } = costOf(spec.kernel, spec.params as never);
    const key = `${spec.kernel.name} ${shapeClass(spec.kernel as unknown as Kernel, spec.params)}`;
    const work = flops + bytes;
    if (work > (classes.get(key)?.work ?? -1)) classes.set(key, { spec, work });
  }
  return [...classes.values()].map(({ spec }) => spec);
}

/** Seconds of one run. */
async function once({ launch, finish }: LaunchWork): Promise<number> {
  const started = performance.now();
  await launch();
  await finish?.();
  return (performance.now() - started) / 1000;
}

/** The entry of one class. `wrong` hears of candidates that compute something else: they are never taken. */
export async function measureClass(
  bench: Bench,
  spec: LaunchSpec,
  rounds: Rounds,
  wrong: (message: string) => void,
): Promise<MeasuredEntry> {
  const { kernel, params } = spec;
  const prepare = (plan: string) =>
    prepareLaunch(bench.device, kernelWithPlan(kernel, plan) as unknown as Kernel, params as ParamValues);
  const [usual, ...others] = candidatesOf(bench, spec) as [string, ...string[]];
  const first = await prepare(usual);
  const contenders: { name: string; work: LaunchWork }[] = [{ name: usual, work: first }];
  try {
    const [expected, usualSeconds] = [await first.results(), await once(first)];
    for (const name of others) {
      const work = await prepare(name);
      contenders.push({ name, work });
      const difference = largestDifference(await work.results(), expected);
      const isRight = difference <= TOLERANCE;
      if (!isRight) wrong(`${kernel.name} ${JSON.stringify(params)}: ${name} differs from ${usual} by ${difference}`);
      if (!isRight || (await once(work)) > HOPELESS * Math.max(usualSeconds, await once(first))) {
        contenders.pop();
        work.dispose();
      }
    }
    const works = contenders.map(({ work }) => work);
    const [usualTimes, ...times] = await inTurn(works, bench.clock, rounds);
    const ranked = times
      .map((each, i) => ({ name: contenders[i + 1]!.name, speedup: ratio(each, usualTimes!) }))
      .filter(({ speedup }) => speedup.median >= WORTH && speedup.min > 1)
      .sort((a, b) => b.speedup.median - a.speedup.median);
    const best = ranked[0] ?? { name: usual, speedup: { median: 1 } };
    return {
      kernel: kernel.name,
      shapes: shapeClass(kernel as unknown as Kernel, params),
      plan: best.name,
      usual,
      speedup: Number(best.speedup.median.toPrecision(4)),
      measured: params as MeasuredEntry['measured'],
    };
  } finally {
    for (const { work } of contenders) work.dispose();
    bench.device.trim();
  }
}
