// conv2d and its input gradient as correlations for the WASM device, and how one is cut into tiles:
//
//   out[t][u] = sum over channels and taps (i, j) of weight x source[t strideH + originRow + i tapRowStep][...]
//
// A convolution is one. Its input gradient is one per remainder of the stride: rows of x with equal (row + pad) mod stride
// meet the same taps, and consecutive ones meet consecutive rows of g. Pure arithmetic; correlate.as.ts reads the result.
import { planWords } from '../params.ts';
import { evenParts, SPILL_WORDS } from '../plan.ts';
import { bestBorder, type Border } from './bordered-columns.wasm.ts';
import { Correlation } from './correlation-plan.wasm.ts';
import type { Conv2dParams } from './conv2d.ts';

/** One axis: `size` results at offset, offset + step, ... and where they read: result t, tap i at origin + t stride + i tapStep. */
export interface Axis {
  readonly size: number;
  readonly offset: number;
  readonly step: number;
  readonly origin: number;
  readonly stride: number;
  readonly taps: number;
  readonly tapStep: number;
}

export interface Geometry {
  readonly batch: number;
  readonly groups: number;
  /** Output and input channels per group. */
  readonly rows: number;
  readonly channels: number;
  readonly source: readonly [number, number];
  readonly output: readonly [number, number];
  readonly axes: readonly [Axis, Axis];
  /** Elements before this correlation's weights. */
  readonly weightsAt: number;
  /** The odd columns of the output, side by side with the even ones that axes[1] is about. */
  readonly odd?: { readonly columns: Axis; readonly weightsAt: number };
}

const forwardAxis = (outSize: number, stride: number, pad: number, taps: number, dilation: number): Axis => ({
  size: outSize,
  offset: 0,
  step: 1,
  origin: -pad,
  stride,
  taps,
  tapStep: dilation,
});

export const forwardGeometry = (p: Conv2dParams): Geometry => ({
  batch: p.batch,
  groups: p.groups,
  rows: p.outChannels / p.groups,
  channels: p.inChannels / p.groups,
  source: [p.inH, p.inW],
  output: [p.outH, p.outW],
  axes: [
    forwardAxis(p.outH, p.strideH, p.padH, p.kernelH, p.dilationH),
    forwardAxis(p.outW, p.strideW, p.padW, p.kernelW, p.dilationW),
  ],
  weightsAt: 0,
});

/** Rows of x with (row + pad) mod stride = remainder. Row p of g meets them through tap r at p stride = row + pad - r dilation. */
function gradientAxis(
  inSize: number,
  stride: number,
  pad: number,
  kernel: number,
  dilation: number,
  remainder: number,
): Axis {
  const shifts: number[] = [];
  for (let r = 0; r < kernel; r++) {
    if ((r * dilation) % stride === remainder) shifts.push((r * dilation - remainder) / stride);
  }
  const first = Math.ceil((pad - remainder) / stride);
  const size = Math.floor((inSize - 1 + pad - remainder) / stride) - first + 1;
  return {
    size: Math.max(0, size),
    offset: remainder - pad + stride * first,
    step: stride,
    // The last tap comes first, since it reads furthest back.
    origin: first - (shifts.at(-1) ?? 0),
    stride: 1,
    taps: shifts.length,
    tapStep: shifts.length > 1 ? shifts[1] - shifts[0] : 1,
  };
}

/** One geometry per pair of remainders that reaches any element of x. */
export function inputGradientGeometries(p: Conv2dParams): Geometry[] {
  const found: Geometry[] = [];
  let weightsAt = 0;
  for (let a = 0; a < p.strideH; a++) {
    const rows = gradientAxis(p.inH, p.strideH, p.padH, p.kernelH, p.dilationH, a);
    for (let b = 0; b < p.strideW; b++) {
      const columns = gradientAxis(p.inW, p.strideW, p.padW, p.kernelW, p.dilationW, b);
      const geometry: Geometry = {
        batch: p.batch,
        groups: p.groups,
        rows: p.inChannels / p.groups,
        channels: p.outChannels / p.groups,
        source: [p.outH, p.outW],
        output: [p.inH, p.inW],
        axes: [rows, columns],
        weightsAt,
      };
      if (rows.size > 0 && columns.size > 0) found.push(geometry);
      weightsAt += p.inChannels * (p.outChannels / p.groups) * rows.taps * columns.taps;
    }
  }
  return found;
}

/**
 * Those of stride 2 along at least two columns, with even and odd columns together: their results are stored side by side. Rows
 * that no tap reaches are among them, as sums of nothing.
 */
export function pairColumns(singles: readonly Geometry[]): Geometry[] {
  const offset = ({ axes: [, columns] }: Geometry): number => columns.offset;
  return singles
    .filter((even) => offset(even) === 0)
    .map((even) => {
      const odd = singles.find((each) => offset(each) === 1 && each.axes[0].offset === even.axes[0].offset)!;
      const pair = { ...even, odd: { columns: odd.axes[1], weightsAt: odd.weightsAt } };
      return tapsOf(pair) > 0 ? pair : { ...pair, channels: 1 };
    });
}

/** Products of a result; of two in a pair. */
export const tapsOf = ({ axes: [rows, columns], odd }: Geometry): number =>
  rows.taps * (columns.taps + (odd ? odd.columns.taps : 0));

/** A 1x1 correlation does not care for rows: the image becomes one row, and small images fill whole vectors. */
export function flatten(g: Geometry): Geometry {
  const isPlain = g.axes.every(
    ({ size, offset, step, origin, stride, taps }, i) =>
      taps === 1 &&
      offset === 0 &&
      step === 1 &&
      origin === 0 &&
      stride === 1 &&
      size === g.source[i] &&
      size === g.output[i],
  );
  if (!isPlain) return g;
  const size = g.source[0] * g.source[1];
  const row = forwardAxis(1, 1, 0, 1, 1);
  return { ...g, source: [1, size], output: [1, size], axes: [row, { ...row, size }] };
}

/** A padded tile of an image: see image-tile.wasm.ts. In elements. */
export interface ImageTile {
  readonly phases: readonly [number, number];
  readonly phaseRows: number;
  readonly pitch: number;
  readonly plane: number;
}

const reachOf = ({ taps, tapStep }: Axis): number => Math.max(0, taps - 1) * tapStep;

/** The tile that `height` x `width` results read, some of them from so many columns later on. */
export function imageTile([rows, columns]: readonly [Axis, Axis], height: number, width: number, later = 0): ImageTile {
  const reach = [reachOf(rows), Math.max(reachOf(columns), later)];
  const phases = [Math.min(rows.stride, reach[0] + 1), Math.min(columns.stride, reach[1] + 1)] as const;
  const phaseRows = height + Math.floor(reach[0] / rows.stride);
  const pitch = width + Math.floor(reach[1] / columns.stride);
  // An odd number of cache lines keeps the planes of successive channels out of each other's cache sets.
  const plane = 16 * (Math.ceil((phases[0] * phases[1] * phaseRows * pitch) / 16) | 1);
  return { phases, phaseRows, pitch, plane };
}

/** Words of zeros and stray stores behind a tile, see image-tile.wasm.ts. */
const BEHIND_TILE = 32;
const VECTOR_WORDS = 3;
const TILE_RESULTS = 512;
const TILE_WIDTH = 256;
/** Tile and panel should stay in the second-level cache. */
const TILE_BYTES = 256 * 1024;
/**
 * Outputs are packed into columns, so many per tile at least, where rows would leave more of their vectors empty than packing
 * costs: its work per column is that of so many output channels, and a part of all.
 */
const PACKED_RESULTS = 64;
const PACKING_ROWS = 8;
const PACKING = 1.1;
/** Fewer output channels do not fill a register tile. Words of a BorderClass. */
const LEAST_BORDERED_ROWS = 4;
const CLASS_WORDS = 5;
/** Outputs that are packed by the taps that they meet, at most. */
const MOST_BORDERED = 256;
/** Outputs that can be packed, for those who ask: their rows stay whole. */
const WIDEST_PACKED = 64;
/** Fewer multiply-adds than these do not pay for another thread. */
export const TASK_WORK = 200_000;
/** Part of the threads' time that may be lost at the end of a launch. */
export const MOST_IDLE = 0.15;

/** What packing a small map's columns by the taps that they meet costs for each image and pair of channels, in multiply-adds. */
const borderWork = (g: Geometry, { products, images }: Border): number =>
  (products / images) * (1 + PACKING_ROWS / g.rows) * PACKING;

/** How they are packed, if that pays. */
function borderOf(g: Geometry): Border | undefined {
  const [rows, columns] = g.axes;
  const results = rows.size * columns.size;
  if (g.odd || g.rows < LEAST_BORDERED_ROWS || columns.size > WIDEST_PACKED || results > TILE_RESULTS) return undefined;
  const border = bestBorder(g, MOST_BORDERED / results);
  return borderWork(g, border) < tapsOf(g) * results * emptinessOf(rows.size, columns.size) ? border : undefined;
}

/** Multiply-adds of the plain loop for each pair of an input and an output channel. */
export function plainProducts(g: Geometry): number {
  const border = borderOf(g);
  return g.batch * (border ? borderWork(g, border) : tapsOf(g) * g.axes[0].size * g.axes[1].size);
}

/** Columns computed for one that is wanted: rows are cut into vectors, and two vectors of a tile go together. */
function emptinessOf(height: number, width: number): number {
  if (height * width === 0) return 1;
  const perRow = Math.ceil(Math.min(width, TILE_WIDTH) / 4);
  const vectors = perRow * evenParts(height, TILE_RESULTS / (4 * perRow));
  return (Math.ceil(vectors / 2) / (vectors / 2)) * ((4 * Math.ceil(width / 4)) / width);
}

/** Images, rows, columns, channels and outputs that are worked on at a time. */
type Tile = Readonly<Record<'images' | 'height' | 'width' | 'channels' | 'outputs', number>>;

/** The values of these fields. */
export function tapValues(g: Geometry, tile: Tile) {
  const [rows, columns] = g.axes;
  return {
    batch: g.batch,
    groups: g.groups,
    rows: g.rows,
    channels: g.channels,
    sourceH: g.source[0],
    sourceW: g.source[1],
    strideH: rows.stride,
    strideW: columns.stride,
    originRow: rows.origin,
    originColumn: columns.origin,
    tapRows: rows.taps,
    tapColumns: columns.taps,
    tapRowStep: rows.tapStep,
    tapColumnStep: columns.tapStep,
    tileImages: tile.images,
    tileHeight: tile.height,
    tileWidth: tile.width,
    tileChannels: tile.channels,
    tileOutputs: tile.outputs,
  };
}

export interface PlannedCorrelation {
  readonly tasks: number;
  readonly words: number[];
  readonly scratchBytes: number;
  readonly packed: boolean;
  /** Multiply-adds of one task. */
  readonly taskWork: number;
}

/**
 * Cuts a correlation into tasks. `together`: correlations of the same size in the launch, whose tasks of a number are one. Every
 * output is one sum over channels and taps in the same order however the tasks are cut, so they may depend on the threads.
 * `size`: height and width of the tiles and the output channels of a task, for a launch that repeats some of them.
 */
export function planCorrelation(
  given: Geometry,
  together: number,
  threads: number,
  prefer: string | undefined,
  size?: readonly [number, number, number],
): PlannedCorrelation {
  const g = flatten(given);
  const [rows, columns] = g.axes;
  const odd = g.odd?.columns;
  const taps = tapsOf(g);
  // The tile begins with the first column that any tap reads.
  const read = (odd ? [columns, odd] : [columns]).filter((axis) => taps === 0 || axis.taps > 0);
  const origin = Math.min(...read.map((axis) => axis.origin));
  const later = Math.max(...read.map((axis) => axis.origin - origin + reachOf(axis)));
  const emptiness = emptinessOf(rows.size, columns.size);
  const isUsual =
    prefer !== 'shiftedRows' &&
    (columns.size < 4 || emptiness > PACKING + PACKING_ROWS / g.rows || borderOf(g) !== undefined);
  const packed = odd ? false : prefer === 'packedColumns' ? columns.size <= WIDEST_PACKED : isUsual;
  const width = size?.[1] ?? (packed ? columns.size : (evenParts(columns.size, TILE_WIDTH) + 3) & ~3);
  const height = size?.[0] ?? evenParts(rows.size, TILE_RESULTS / Math.max(width, 1));
  const border = packed && size === undefined ? borderOf(g) : undefined;
  const images = border?.images ?? (packed ? evenParts(g.batch, Math.ceil(PACKED_RESULTS / (height * width))) : 1);
  const tile = imageTile(g.axes, height, width, later);
  const results = border?.columns ?? Math.ceil((images * height * width) / 4) * 4;
  // Words of the panel of a channel, and of what says which taps are in it.
  const panelWords = border ? border.products : packed ? taps * results : 0;
  const tableWords = border?.taps ?? 0;
  const channelBytes = 4 * (images * tile.plane + panelWords);
  const channels = Math.max(1, evenParts(g.channels, TILE_BYTES / channelBytes));
  const tiles =
    Math.ceil(g.batch / images) *
    g.groups *
    Math.ceil(rows.size / height) *
    Math.ceil(columns.size / Math.max(width, 1));
  // Output channels are divided only if there are few tiles: each block of them fills the tile anew.
  const work = g.rows * g.channels * taps * images * height * width;
  const wanted = Math.ceil((packed ? threads : 2 * threads) / tiles);
  const blocks = Math.max(1, Math.min(wanted, Math.floor((together * work) / TASK_WORK), Math.ceil(g.rows / 12)));
  const outputs = size?.[2] ?? evenParts(g.rows, Math.ceil(g.rows / blocks));
  const tasks = tiles * Math.ceil(g.rows / outputs);

  const vectors = packed ? 2 * results : VECTOR_WORDS * height * Math.ceil(width / 4);
  const vectorsAt = SPILL_WORDS + channels * taps;
  const tileAt = Math.ceil((vectorsAt + vectors) / 16) * 16;
  const panelAt = tileAt + Math.ceil((images * channels * tile.plane + BEHIND_TILE) / 16) * 16;
  const resultAt = panelAt + channels * panelWords;
  const classesAt = resultAt + (packed ? outputs * results + channels * taps + (VECTOR_WORDS * results) / 4 : 0);
  const tableAt = classesAt + CLASS_WORDS * (border?.classes ?? 0);
  const end = tableAt + channels * tableWords;
  const words = planWords(Correlation, {
    tasks,
    ...tapValues(g, { images, height, width, channels, outputs }),
    originColumn: origin,
    outputPlane: g.output[0] * g.output[1],
    outputW: g.output[1],
    height: rows.size,
    width: columns.size,
    rowOffset: rows.offset,
    rowStep: rows.step,
    columnOffset: columns.offset,
    columnStep: columns.step,
    phasesH: tile.phases[0],
    phasesW: tile.phases[1],
    phaseRows: tile.phaseRows,
    pitch: tile.pitch,
    plane: tile.plane,
    weightsAt: g.weightsAt,
    tapColumn: columns.origin - origin,
    paired: odd ? 1 : 0,
    oddTapColumns: odd?.taps ?? 0,
    oddTapColumnStep: odd?.tapStep ?? 0,
    oddTapColumn: odd ? odd.origin - origin : 0,
    oddWeightsAt: g.odd?.weightsAt ?? 0,
    packed: border ? 2 : packed ? 1 : 0,
    classesAt: 4 * classesAt,
    tableAt: 4 * tableAt,
    vectorsAt: 4 * vectorsAt,
    tileAt: 4 * tileAt,
    panelAt: 4 * panelAt,
    resultAt: 4 * resultAt,
  });
  return {
    tasks,
    words,
    scratchBytes: 4 * (end + BEHIND_TILE),
    packed,
    taskWork: (work * outputs) / Math.max(1, g.rows),
  };
}
