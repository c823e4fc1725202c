// A profile as a short table: what a step costs, and the kernels, layers and operations that take most of it.
import type { ProfileRow } from '../../engine/index.ts';
import type { ProfileRecord } from '../runner/profile.ts';
import { layOut } from './tables.ts';

/** Rows of each table. */
const SHOWN = 8;

const time = (milliseconds: number): string => milliseconds.toFixed(milliseconds < 10 ? 2 : 1);
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const percent = (part: number, whole: number): string => (whole > 0 ? `${((100 * part) / whole).toFixed(0)} %` : '');
/** Counts are means over steps, which may differ. */
const count = (value: number): string => String(Number(value.toFixed(1)));
/** So many flops or bytes in so many milliseconds, in units of 1e9 a second. */
const rate = (amount: number, milliseconds: number): string =>
  milliseconds > 0 ? (amount / milliseconds / 1e6).toFixed(1) : '';

function stepLines({ step, clock, clockStep, passes, memory }: ProfileRecord): string[] {
  const { milliseconds: whole, kernelMilliseconds: kernels, dataMilliseconds: data } = step;
  const waiting = `waiting for data ${time(data)} ms (${count(step.dataWaits)} times)`;
  const submits = step.submits === step.launches ? '' : `, ${count(step.submits)} submit(s)`;
  const counts =
    `${count(step.launches)} launches${submits}, ${(step.flops / 1e9).toFixed(2)} GFLOP; tensors hold ` +
    `${mebibytes(memory.peakBytes)} at most, ${mebibytes(memory.firstBytes)} at the beginning of a step`;
  if (clock === 'none') {
    return [`step ${time(whole)} ms: ${waiting}; the device has no clock, launches are counted and not timed`, counts];
  }
  // On a GPU waiting for data and kernels may overlap.
  const rest = Math.max(0, whole - kernels - data);
  return [
    `step ${time(whole)} ms: kernels ${time(kernels)} ms (${percent(kernels, whole)}), ${waiting}, the rest ${time(rest)} ms`,
    passes.map((row) => `${row.name} ${time(row.milliseconds)} ms (${percent(row.milliseconds, kernels)})`).join(', '),
    counts,
    ...(clock === 'device' && clockStep
      ? [`times are of the GPU's clock, in steps of ${time(1000 * clockStep)} us`]
      : []),
  ];
}

/** One profile. `trace` names the file of its trace. */
export function profileText(profile: ProfileRecord, trace: string, width: number): string {
  const { name, device, steps, step, clock, jobs } = profile;
  const isTimed = clock !== 'none';
  const together = jobs > 1 ? `, ${jobs} runs at a time, which slow one another` : '';
  const table = (
    title: string,
    head: readonly string[],
    rows: readonly ProfileRow[],
    cells: (row: ProfileRow) => string[],
  ): string => {
    const timeHead = isTimed ? ['ms', 'share', ...head] : [];
    const timeCells = (row: ProfileRow): string[] =>
      isTimed ? [time(row.milliseconds), percent(row.milliseconds, step.kernelMilliseconds), ...cells(row)] : [];
    const lines = rows.slice(0, SHOWN).map((row) => [row.name, ...timeCells(row), count(row.launches)]);
    return layOut([title, ...timeHead, 'launches'], lines, width);
  };
  const speeds = ({ flops, bytes, milliseconds }: ProfileRow): string[] => [
    rate(flops, milliseconds),
    rate(bytes, milliseconds),
  ];
  const passes = ['forward', 'backward', 'update'] as const;
  const byPass = (row: ProfileRow): string[] =>
    passes.map((pass) => (row.passes[pass] === undefined ? '' : time(row.passes[pass])));
  return [
    `Profile of ${name}: means over ${steps} step(s), ${device}${together}`,
    ...stepLines(profile),
    table('kernel', ['GFLOP/s', 'GB/s'], profile.kernels, speeds),
    table('layer', passes, profile.layers, byPass),
    table('operation', passes, profile.operations, byPass),
    `Trace: ${trace} (for ui.perfetto.dev or chrome://tracing)`,
  ].join('\n');
}
