// `wgrad verify`: runs of a folder made again, and how far they agree with what it says.
import type { DeviceName } from '../../engine/index.ts';
import { type Difference, placeText, valueText } from '../runner/difference.ts';
import { readRunFolder } from '../runner/read-results.ts';
import { chooseRuns } from '../runner/recorded-runs.ts';
import { type Verified, verifyRuns } from '../runner/verify.ts';
import { EXIT_FAILED } from './errors.ts';
import { print } from './output.ts';
import { untilSignal } from './signals.ts';

export interface VerifyFlags {
  /** How many. */
  runs: number;
  only?: string;
  data?: string;
  device?: DeviceName;
  json?: boolean;
}

/** Differing numbers that are listed of one run. */
const LISTED = 5;

const line = (each: Difference): string => `  ${placeText(each)}: ${valueText(each.a)}, now ${valueText(each.b)}`;

function describe({ run, agreement, numbers, made, failure }: Verified): string {
  const name = `${run.paper.name}: run '${run.run}', seed ${run.seed}`;
  if (failure !== undefined) return `${name}: not made again: ${failure}`;
  const more = numbers.length > LISTED ? [`  and ${numbers.length - LISTED} numbers more`] : [];
  const shown = [...numbers.slice(0, LISTED).map(line), ...more];
  const how = made.length > 0 ? ['  made differently:', ...made.map((each) => `  ${line(each)}`)] : [];
  return [`${name}: ${agreement}`, ...shown, ...how].join('\n');
}

const plain = ({ run: { paper, run, seed, preset, device }, ...rest }: Verified): object => ({
  paper: paper.name,
  run,
  seed,
  preset,
  device,
  ...rest,
});

/** Returns the exit status: 1 where a run gives other numbers, beyond the spread over seeds, or none. */
export async function verifyCommand(folder: string, flags: VerifyFlags): Promise<number> {
  const { json = false, runs: count, only, data, device } = flags;
  const read = await readRunFolder(folder);
  const runs = await chooseRuns(read, count, only);
  const report = (each: Verified): void => print(json ? JSON.stringify(plain(each)) : describe(each));
  const { manifest } = read;
  const { result: verified, stoppedWith } = await untilSignal((signal) =>
    verifyRuns({ runs, manifest, data, device, signal, report }),
  );
  const agrees = ({ agreement }: Verified): boolean => agreement !== 'different' && agreement !== 'failed';
  return stoppedWith ?? (verified.every(agrees) ? 0 : EXIT_FAILED);
}
