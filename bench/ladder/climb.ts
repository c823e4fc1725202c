// Climbs a ladder: each rung is held to `reference` at small sizes and to the last rung at the measured one, then all are timed
// in turn, round after round, beside the ceilings of their device. A rung that computes something else is not timed.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Device } from '../../engine/devices/device.ts';
import { costOf, type Kernel } from '../../kernels/kernel.ts';
import { kernelOfRung, type Ladder, type WasmRung, type WebGpuRung } from '../../kernels/ladder.ts';
import { type Ceilings, CeilingWork, type Roof, roofOf } from '../measure/ceilings.ts';
import type { Clock } from '../measure/clock.ts';
import { largestDifference } from '../measure/difference.ts';
import { type LaunchWork, prepareLaunch } from '../measure/launches.ts';
import { type Ratio, ratio, type Timing, timing } from '../measure/statistics.ts';
import { ladderSizes, type Sizes } from './sizes.ts';

/** Devices of one kind: the one on which a rung runs, and the reference. */
export interface Grounds {
  readonly title: string;
  readonly clock: Clock;
  readonly size: 'small' | 'large';
  readonly reference: Device;
  /** A ladder may be for one kind of device only. */
  hasRungs(ladder: Ladder<never>): boolean;
  /** The rungs of a ladder that take these parameters, with the device of each. */
  rungsOf(ladder: Ladder<never>, params: never): readonly Standing[];
  dispose(): void;
}

export interface Standing {
  readonly rung: WebGpuRung<never> | WasmRung<never>;
  readonly device: Device;
  /** The device with as many threads as the rung uses, whose ceilings count. */
  readonly ceilingsOn: Device;
  /** wgrad takes this plan by itself. */
  readonly isInUse: boolean;
}

export interface Effort {
  readonly rounds: number;
  readonly secondsPerRound: number;
  /** A rung that has been measured for longer sits out its other rounds. */
  readonly secondsPerRung: number;
}

export interface RungResult extends Timing {
  readonly name: string;
  readonly description: string;
  readonly isInUse: boolean;
  /** How many times as fast as the first rung, and as the one before. */
  readonly overFirst: Ratio;
  readonly overPrevious: Ratio;
  readonly gbps: number;
  readonly roof: Roof;
}

export interface LadderResult {
  readonly name: string;
  readonly title: string;
  readonly device: string;
  readonly flops: number;
  readonly bytes: number;
  readonly ceilings: Readonly<Record<string, Ceilings>>;
  readonly rungs: readonly (RungResult | { readonly name: string; readonly wrong: string })[];
}

/** Of results relative to their root mean square: float32 sums of some thousand products in any order. */
const TOLERANCE = 1e-4;
/** One chain over a million elements loses more digits than blocks do. */
const TOLERANCE_MEASURED = 1e-3;
/** Threads of one device may spin a little before they sleep. */
const PAUSE_MS = 30;

const kernelOf = (ladder: Ladder<never>, { rung }: Standing): Kernel<never> => kernelOfRung(ladder, rung);

/** Why a rung does not compute what the kernel means, or undefined if it does. */
async function problemOf(ladder: Ladder<never>, standing: Standing, grounds: Grounds): Promise<string | undefined> {
  const { checked, values } = ladderSizes[ladder.name]! as unknown as Sizes<never>;
  for (const params of checked) {
    if (!grounds.rungsOf(ladder, params).some(({ rung }) => rung === standing.rung)) continue;
    const expected = await prepareLaunch(grounds.reference, ladder.kernel, params, values);
    const actual = await prepareLaunch(standing.device, kernelOf(ladder, standing), params, values);
    const difference = largestDifference(await actual.results(), await expected.results());
    expected.dispose();
    actual.dispose();
    if (!(difference <= TOLERANCE)) return `differs from the reference by ${difference} at ${JSON.stringify(params)}`;
  }
  return undefined;
}

interface Timed {
  readonly launch: LaunchWork;
  readonly times: number[][];
}

interface Contender extends Timed {
  readonly standing: Standing;
}

interface CeilingTimes {
  readonly device: Device;
  readonly work: CeilingWork;
  readonly compute: Timed;
  readonly memory: Timed;
}

/** The best of all rounds: other work on the machine only ever lowers a ceiling. */
const ratesOf = ({ work, compute, memory }: CeilingTimes): Ceilings =>
  work.observe(memory.times.flat(), compute.times.flat());

const total = (times: readonly (readonly number[])[]): number => times.flat().reduce((sum, each) => sum + each, 0);

async function measureInTurn(
  launches: readonly Timed[],
  clock: Clock,
  { rounds, secondsPerRound, secondsPerRung }: Effort,
  progress: (round: number) => void,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    progress(round);
    for (const { launch, times } of launches) {
      if (total(times) > secondsPerRung) continue;
      await sleep(PAUSE_MS);
      times.push(await clock.repeat(launch, secondsPerRound));
    }
  }
}

/** Of the rounds that both were in. */
function speedup(times: number[][], other: number[][]): Ratio {
  const rounds = Math.min(times.length, other.length);
  return ratio(times.slice(0, rounds), other.slice(0, rounds));
}

/** Checks and measures all rungs on these grounds. */
export async function climb(
  ladder: Ladder<never>,
  grounds: Grounds,
  effort: Effort,
  progress: (text: string) => void,
): Promise<LadderResult> {
  const sizes = ladderSizes[ladder.name]!;
  const params = sizes[grounds.size];
  const wrong: { name: string; wrong: string }[] = [];
  const contenders: Contender[] = [];
  // The last rung at the measured size: the reference would take minutes there.
  let yardstick: LaunchWork | undefined;
  for (const standing of [...grounds.rungsOf(ladder, params)].reverse()) {
    const { name } = standing.rung;
    progress(`${ladder.name}: checking ${name}`);
    let problem = await problemOf(ladder, standing, grounds);
    const launch = await prepareLaunch(standing.device, kernelOf(ladder, standing), params, sizes.values);
    yardstick ??= launch;
    const difference = largestDifference(await launch.results(), await yardstick.results());
    if (!(difference <= TOLERANCE_MEASURED)) problem ??= `differs by ${difference} from ${yardstick.plan} at this size`;
    if (problem === undefined) contenders.unshift({ standing, launch, times: [] });
    else {
      wrong.push({ name, wrong: problem });
      if (launch !== yardstick) launch.dispose();
    }
  }
  const devices = [...new Set(contenders.map(({ standing }) => standing.ceilingsOn))];
  const ceilings: CeilingTimes[] = [];
  for (const device of devices) {
    const work = await CeilingWork.prepare(device);
    const { compute, memory } = work;
    ceilings.push({ device, work, compute: { launch: compute, times: [] }, memory: { launch: memory, times: [] } });
  }
  const measured = [...contenders, ...ceilings.flatMap(({ compute, memory }) => [compute, memory])];
  await measureInTurn(measured, grounds.clock, effort, (round) =>
    progress(`${ladder.name}: round ${round + 1} of ${effort.rounds}`),
  );
  const rates = new Map(ceilings.map((each) => [each.device, ratesOf(each)]));
  const cost = costOf(ladder.kernel, params);
  const rungs = contenders.map(({ standing, times }, i): RungResult => {
    const taken = timing(times, cost.flops);
    return {
      name: standing.rung.name,
      description: standing.rung.description,
      isInUse: standing.isInUse,
      ...taken,
      gbps: cost.bytes / taken.median / 1e9,
      overFirst: speedup(times, contenders[0]!.times),
      overPrevious: speedup(times, contenders[Math.max(0, i - 1)]!.times),
      roof: roofOf(cost, taken, rates.get(standing.ceilingsOn)!),
    };
  });
  for (const launch of new Set([yardstick!, ...contenders.map((each) => each.launch)])) launch.dispose();
  for (const { work } of ceilings) work.dispose();
  return {
    name: ladder.name,
    title: sizes.title(params),
    device: grounds.title,
    ...cost,
    ceilings: Object.fromEntries([...rates].map(([device, each]) => [device.description, each])),
    rungs: [...rungs, ...wrong],
  };
}
