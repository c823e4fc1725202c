// Climbs a ladder: each rung is held to `reference` at small sizes and to the last rung at the measured one, then all are timed
// in turn, round after round, beside the ceilings of their device. A rung that computes something else is not timed.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Device } from '../../engine/devices/device.ts';
import { costOf, type Kernel } from '../../kernels/kernel.ts';
import { kernelOfRung, type Ladder, type WasmRung, type WebGpuRung } from '../../kernels/ladder.ts';
import { repeat } from '../peers/protocol.mjs';
import { type Ratio, ratio, type Timing, timing } from '../statistics.ts';
import { type Ceiling, floorOf, prepareCeiling } from './ceiling.ts';
import { largestDifference, type Launch, prepareLaunch } from './launch.ts';
import { ladderSizes, type Sizes } from './sizes.ts';

/** Devices of one kind: the one on which a rung runs, and the reference. */
export interface Grounds {
  readonly title: string;
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
  /** The library's device with as many threads, whose ceilings count. */
  readonly library: Device;
  /** The library takes this plan by itself. */
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
  readonly rate: number;
  readonly unit: 'GFLOP/s' | 'GB/s';
  /** Of the ceiling of its device: floor over time. */
  readonly share: number;
}

export interface LadderResult {
  readonly name: string;
  readonly title: string;
  readonly device: string;
  readonly flops: number;
  readonly bytes: number;
  readonly ceilings: Readonly<Record<string, Ceiling>>;
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
    const expected = prepareLaunch(grounds.reference, ladder.kernel, params, values);
    const actual = prepareLaunch(standing.device, kernelOf(ladder, standing), params, values);
    const difference = largestDifference(await actual.results(), await expected.results());
    expected.dispose();
    actual.dispose();
    if (!(difference <= TOLERANCE)) return `differs from the reference by ${difference} at ${JSON.stringify(params)}`;
  }
  return undefined;
}

interface Contender {
  readonly standing: Standing;
  readonly launch: Launch;
  readonly times: number[][];
}

const total = (times: readonly (readonly number[])[]): number => times.flat().reduce((sum, each) => sum + each, 0);

async function measureInTurn(
  launches: readonly { launch: Launch; times: number[][] }[],
  { rounds, secondsPerRound, secondsPerRung }: Effort,
  progress: (round: number) => void,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    progress(round);
    for (const { launch, times } of launches) {
      if (total(times) > secondsPerRung) continue;
      await sleep(PAUSE_MS);
      times.push(await repeat(launch, secondsPerRound));
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
  let yardstick: Launch | undefined;
  for (const standing of [...grounds.rungsOf(ladder, params)].reverse()) {
    const { name } = standing.rung;
    progress(`${ladder.name}: checking ${name}`);
    let problem = await problemOf(ladder, standing, grounds);
    const launch = prepareLaunch(standing.device, kernelOf(ladder, standing), params, sizes.values);
    yardstick ??= launch;
    const difference = largestDifference(await launch.results(), await yardstick.results());
    if (!(difference <= TOLERANCE_MEASURED)) problem ??= `differs by ${difference} from ${yardstick.plan} at this size`;
    if (problem === undefined) contenders.unshift({ standing, launch, times: [] });
    else {
      wrong.push({ name, wrong: problem });
      if (launch !== yardstick) launch.dispose();
    }
  }
  const devices = [...new Set(contenders.map(({ standing }) => standing.library))];
  const ceilings = devices.map((device) => ({
    device,
    work: prepareCeiling(device, grounds.size),
    arithmetic: [] as number[][],
    traffic: [] as number[][],
  }));
  const extra = ceilings.flatMap(({ work, arithmetic, traffic }) => [
    { launch: work.arithmetic, times: arithmetic },
    { launch: work.traffic, times: traffic },
  ]);
  await measureInTurn([...contenders, ...extra], effort, (round) =>
    progress(`${ladder.name}: round ${round + 1} of ${effort.rounds}`),
  );
  const cost = costOf(ladder.kernel, params);
  const ceilingOf = new Map(
    ceilings.map(({ device, work, arithmetic, traffic }) => [device, work.ceiling(arithmetic.flat(), traffic.flat())]),
  );
  const rungs = contenders.map(({ standing, times }, i): RungResult => {
    const measured = timing(times, cost.flops);
    const floor = floorOf(cost, ceilingOf.get(standing.library)!);
    return {
      name: standing.rung.name,
      description: standing.rung.description,
      isInUse: standing.isInUse,
      ...measured,
      overFirst: speedup(times, contenders[0]!.times),
      overPrevious: speedup(times, contenders[Math.max(0, i - 1)]!.times),
      rate: floor.amount / measured.median / 1e9,
      unit: floor.unit,
      share: floor.seconds / measured.median,
    };
  });
  for (const launch of new Set([yardstick!, ...contenders.map((each) => each.launch)])) launch.dispose();
  for (const { work } of ceilings) work.dispose();
  return {
    name: ladder.name,
    title: sizes.title(params),
    device: grounds.title,
    ...cost,
    ceilings: Object.fromEntries([...ceilingOf].map(([device, ceiling]) => [device.description, ceiling])),
    rungs: [...rungs, ...wrong],
  };
}
