// A run folder of a paper with made values: every table with cells, claims, curves, sample pictures and costs, written as a
// command writes it.
import path from 'node:path';
import {
  cellsOf,
  type Paper,
  type Picture,
  placeOf,
  runsOf,
  type TableData,
  type TableDefinition,
  writeResults,
} from '../../experiments/index.ts';
import { photograph } from '../../experiments/report/depth-pictures.ts';
import { sampleOf } from '../../experiments/report/pictures.ts';
import { base64 } from '../../experiments/report/png.ts';
import { tableView } from '../../experiments/report/table-view.ts';
import { writeJson } from '../../experiments/runner/files.ts';

const seeds = [0, 1, 2];
const EPOCHS = 12;
/** Small squares, and wide pictures like those of a road. */
const sizes = [
  [32, 32],
  [310, 94],
] as const;

/** From -1 to 1, without order. */
const wobble = (...at: number[]): number =>
  Math.sin(at.reduce((sum, value, i) => sum + value * (12.9898 + i * 7.13), 1));

function pictureOf([width, height]: readonly [number, number], sample: number, shift: number): Promise<string> {
  const bytes = Uint8Array.from({ length: 3 * width * height }, (_, i) => 128 + 100 * Math.sin((i * (sample + 1)) / 400 + shift)); // prettier-ignore
  return photograph(bytes, [width, height]).then(base64);
}

const captions = ['picture', 'measured', 'predicted'];
const madePanels: readonly Picture[] = await Promise.all(
  sizes.map((size, sample) =>
    sampleOf(`sample ${sample}`, Object.fromEntries(captions.map((name, i) => [name, pictureOf(size, sample, i)]))),
  ),
);

export function madeTable(paper: Paper, table: TableDefinition): TableData {
  const cells = cellsOf(table).flatMap((placed, i) => {
    if (!placed.cell.run) return [];
    const level = placed.cell.published ?? 0.5;
    const values = seeds.map((seed) => [seed, level * (1 + 0.05 * wobble(i, seed))] as const);
    return [[placeOf(placed), { bySeed: new Map(values) }] as const];
  });
  const curves = (table.curves ?? []).map(({ label }, i) => {
    const values = (seed: number): number[] =>
      Array.from({ length: EPOCHS }, (_, epoch) => Math.exp(-epoch / 4) + 0.1 * i + 0.02 * wobble(i, seed, epoch));
    return [label, new Map(seeds.map((seed) => [seed, values(seed)]))] as const;
  });
  const runs = runsOf(table);
  return {
    paper,
    table,
    preset: 'smoke',
    device: 'wasm',
    data: { name: 'made numbers', real: false },
    set: {},
    seeds,
    cells: new Map(cells),
    settings: new Map(runs.map((run) => [run.key, run.settings('smoke')])),
    curves: new Map(curves),
    panels: table.pictures ? madePanels : [],
    costs: runs.map(({ key }) => ({ run: key, seconds: seeds.map((seed) => 61 + seed), flops: 3e9, peakBytes: 5e6 })),
  };
}

/** Writes the folder with a manifest. */
export async function writeMadeFolder(folder: string, paper: Paper): Promise<void> {
  const tables = paper.tables.map((table) => madeTable(paper, table));
  await writeResults(
    folder,
    tables.map((known) => ({ known, view: tableView(known) })),
  );
  await writeJson(path.join(folder, 'manifest.json'), {
    version: 2,
    wgrad: '0.1.0',
    node: '20',
    processor: 'made',
    platform: 'made',
    device: { description: 'made' },
    configurations: {},
    commandLine: ['wgrad', 'reproduce', paper.name],
    finished: '2026-01-01',
  });
}
