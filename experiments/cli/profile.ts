// A profile as a short table: what a step costs, and the kernels, layers and operations that take most of it.
import type { Pass, ProfileRow } from '../../engine/index.ts';
import type { ProfileRecord } from '../runner/profile.ts';
import { layOut } from './tables.ts';

/** Rows of each table. */
const SHOWN = 8;

const milliseconds = (value: number): string => value.toFixed(value < 10 ? 2 : 1);
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const percent = (part: number, whole: number): string => (whole > 0 ? `${((100 * part) / whole).toFixed(0)} %` : '');
/** Counts are means over steps, which may differ. */
const count = (value: number): string => String(Number(value.toFixed(1)));
/** flops or bytes of a step in so many milliseconds, in units of 1e9 a second. */
const rate = (amount: number, time: number): string => (time > 0 ? (amount / time / 1e6).toFixed(1) : '');

function rowsText(
  head: readonly string[],
  rows: readonly ProfileRow[],
  cells: (row: ProfileRow) => string[],
  width: number,
): string {
  return layOut(
    head,
    rows.slice(0, SHOWN).map((row) => [row.name, ...cells(row)]),
    width,
  );
}

/** One profile. `trace` names the file of its trace. */
export function profileText(profile: ProfileRecord, trace: string, width: number): string {
  const { name, device, steps, step, memory, clock, clockStep, jobs, threads } = profile;
  const whole = step.kernelMilliseconds;
  const timed = clock !== 'none';
  const rest = step.milliseconds - whole - step.dataMilliseconds;
  const together = jobs > 1 ? `, ${jobs} runs at a time, so that they slow one another` : '';
  const share = ({ milliseconds: time }: ProfileRow): string[] => [milliseconds(time), percent(time, whole)];
  const inPass = ({ passes }: ProfileRow, pass: Pass): string =>
    passes[pass] === undefined ? '' : milliseconds(passes[pass]);
  const byPass = (row: ProfileRow): string[] => [
    ...(timed ? [...share(row), inPass(row, 'forward'), inPass(row, 'backward'), inPass(row, 'update')] : []),
    count(row.launches),
  ];
  const passHead = [...(timed ? ['ms', 'share', 'forward', 'backward', 'update'] : []), 'launches'];
  return [
    `Profile of ${name}: means over ${steps} step(s), ${device}, ${threads} thread(s)${together}`,
    timed
      ? `step ${milliseconds(step.milliseconds)} ms: kernels ${milliseconds(whole)} ms (${percent(whole, step.milliseconds)}), ` +
        `waiting for data ${milliseconds(step.dataMilliseconds)} ms (${count(step.dataWaits)} times), the rest ${milliseconds(Math.max(0, rest))} ms`
      : `step ${milliseconds(step.milliseconds)} ms, waiting for data ${milliseconds(step.dataMilliseconds)} ms (${count(step.dataWaits)} times); ` +
        'this device has no clock: its launches are counted and not timed',
    `${count(step.launches)} launches in ${count(step.submits)} submits, ${(step.flops / 1e9).toFixed(2)} GFLOP; tensors hold ${mebibytes(memory.peakBytes)} at most, ` +
      `${mebibytes(memory.firstBytes)} at the beginning, ${mebibytes(memory.lastBytes)} at the end`,
    ...(timed
      ? [
          profile.passes
            .map((row) => `${row.name} ${milliseconds(row.milliseconds)} ms (${percent(row.milliseconds, whole)})`)
            .join(', '),
        ]
      : []),
    ...(clock === 'device' ? [`clock of the GPU, in steps of ${((clockStep ?? 0) * 1000).toPrecision(2)} us`] : []),
    rowsText(
      ['kernel', ...(timed ? ['ms', 'share'] : []), 'launches', ...(timed ? ['GFLOP/s', 'GB/s'] : [])],
      profile.kernels,
      (row) => [
        ...(timed ? share(row) : []),
        count(row.launches),
        ...(timed ? [rate(row.flops, row.milliseconds), rate(row.bytes, row.milliseconds)] : []),
      ],
      width,
    ),
    rowsText(['layer', ...passHead], profile.layers, byPass, width),
    rowsText(['operation', ...passHead], profile.operations, byPass, width),
    `Trace: ${trace} (for ui.perfetto.dev or chrome://tracing)`,
  ].join('\n');
}
