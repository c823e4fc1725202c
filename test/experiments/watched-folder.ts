// A run folder as it is while a command is at work in it: one run done, one running with a checkpoint, one failed, one waiting.
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { sampleOf } from '../../experiments/report/pictures.ts';
import { photograph } from '../../experiments/report/depth-pictures.ts';
import { base64 } from '../../experiments/report/png.ts';
import { writeCheckpoint } from '../../experiments/runner/checkpoint.ts';
import { writeJson } from '../../experiments/runner/files.ts';
import { encodePosition } from '../../experiments/runner/position.ts';
import { type ProgressContent, PROGRESS_VERSION } from '../../experiments/runner/progress-file.ts';
import { writeSealed } from '../../experiments/runner/seal.ts';

/** The group of all runs but the one that waits. */
export const madePlace = 'made/stl-baseline-0123abcd';

/** A loss that falls and a weight that grows, of so many points. */
export function madeCurves(points: number, seed: number): Record<string, number[]> {
  const line = (value: (i: number) => number): number[] => Array.from({ length: points }, (_, i) => value(i));
  const wobble = (i: number): number => 0.04 * Math.sin(12.9898 * (i + 1) + 7 * seed);
  return {
    'loss, training': line((i) => 2 * Math.exp(-i / (8 + seed)) + 0.2 + wobble(i)),
    'loss, validation': line((i) => 1.8 * Math.exp(-i / (9 + seed)) + 0.35 + 2 * wobble(i)),
    'mIoU': line((i) => 0.6 - 0.5 * Math.exp(-i / 10) + wobble(i)),
    'weight of depth': line((i) => 1 + i / 40 + wobble(i) / 4),
  }; // prettier-ignore
}

const gradient = (shift: number): Promise<string> =>
  photograph(
    Uint8Array.from({ length: 3 * 32 * 32 }, (_, i) => 128 + 100 * Math.sin(i / 300 + shift)),
    [32, 32],
  ).then(base64);

/** Writes a finished run with one row of two pictures. */
export async function writeRecord(folder: string, seed: number, curves = madeCurves(40, seed)): Promise<void> {
  const pictures = [await sampleOf('image 7', { picture: gradient(0), predicted: gradient(2) })];
  await writeSealed(path.join(folder, 'runs', madePlace, `seed-${seed}.json`), {
    ...{ version: 1, paper: 'made', run: 'stl, baseline', seed, preset: 'smoke', configuration: {} },
    ...{ data: { name: 'made', real: false }, device: { name: 'wasm', facts: {}, plans: {} } },
    ...{ seconds: 61.5, flops: 1e9, peakBytes: 5_000_000 },
    result: { metrics: { mIoU: 0.58 + seed / 100, silog: 0.21 }, curves, pictures },
  });
}

/** Writes a checkpoint of a run. */
export const writeMadeCheckpoint = (folder: string, seed: number, points: number): Promise<void> =>
  writeCheckpoint(
    path.join(folder, 'runs', madePlace, `seed-${seed}.safetensors`),
    {
      states: { model: new Map([['weight', { shape: [2], values: Float32Array.of(1, 2) }]]) },
      position: encodePosition({ phase: 0, step: points, curves: madeCurves(points, seed) }),
    },
    'made',
  );

const at = '2026-01-01T10:00:00.000Z';

/** What the command has last said of itself. */
export const madeProgress = (share: number): ProgressContent => ({
  version: PROGRESS_VERSION,
  commandLine: ['wgrad', 'reproduce', 'made'],
  ...{ started: at, updated: at, ended: null, share, cells: 6, cellsDone: 2, stepsPerSecond: 12.5, secondsLeft: 90 },
  runs: [
    { paper: 'made', run: 'stl, baseline', seed: 0, state: 'done' },
    { paper: 'made', run: 'stl, baseline', seed: 1, state: 'running', place: `runs/${madePlace}/seed-1`, share, stepsPerSecond: 12.5, secondsLeft: 90 },
    { paper: 'made', run: 'stl, baseline', seed: 2, state: 'failed', place: `runs/${madePlace}/seed-2`, message: 'NonFiniteError: loss is NaN\n    at step 7' },
    { paper: 'made', run: 'mtl, student', seed: 0, state: 'waiting' },
  ],
  log: [{ at, text: 'device wasm: relaxed SIMD' }, { at, text: 'made stl, baseline, seed 0 is done' }],
}); // prettier-ignore

/** Writes the folder; a process that is alive holds its lock. */
export async function writeWatched(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeRecord(folder, 0);
  await writeMadeCheckpoint(folder, 1, 22);
  await writeJson(path.join(folder, 'progress.json'), madeProgress(0.55));
  await writeFile(path.join(folder, 'lock.json'), JSON.stringify({ pid: process.ppid, host: os.hostname() }));
}
