// One loop for conv2d and its input gradient: output rows (t, u) = sum over channels and taps (i, j) of
// weight x source[t strideH + originRow + i tapRowStep][...]. The input gradient comes as one such correlation per
// remainder of the stride, with its weights gathered by conv2dTransposeWeights.
// A task pads the part of the source that it needs into a tile in private scratch and multiplies from there, reading the
// taps as shifted vectors; narrow outputs are packed into columns first. The whole im2col matrix is never made.
import { behind, buffer } from '../shared/addresses.as';
import {
  Column,
  countColumns,
  fillBorderClasses,
  fillColumns,
  gatherColumns,
  multiplyBordered,
  packBordered,
} from './bordered-columns.as';
import { fillTile } from './image-tile.as';
import { fillWords } from '../shared/simd.as';
import { halfOf, multiply, PAIRED, SPILL_BYTES, TileVector, VECTOR_BYTES } from '../shared/tile-loops.as';
import { FROM_C, FROM_ZERO } from '../shared/tiles.as';
import { Conv2dParams, CorrelateHeader, Correlation } from './params.as';

/** In the place of `packed`: by the taps that columns meet. */
const BORDERED: i32 = 2;

/** Place of every (channel, tap) in the tile, in bytes, in the order of the weights. */
function fillOffsets(p: Correlation, offsets: usize, first: i32, columns: i32, columnStep: i32): void {
  for (let channel = 0; channel < p.tileChannels; channel++) {
    for (let i = 0; i < p.tapRows; i++) {
      const row = i * p.tapRowStep;
      for (let j = 0; j < columns; j++) {
        const column = first + j * columnStep;
        const phase = (row % p.strideH) * p.phasesW + (column % p.strideW);
        const shift = (row / p.strideH) * p.pitch + column / p.strideW;
        store<i32>(offsets, 4 * (channel * p.plane + phase * p.phaseRows * p.pitch + shift));
        offsets += 4;
      }
    }
  }
}

/**
 * The vectors of a tile whose columns are read straight from it. `columns`: those of the output from the tile's first on. Returns
 * how many vectors there are.
 */
function fillVectors(
  p: Correlation,
  vectors: usize,
  tile: usize,
  output: usize,
  height: i32,
  width: i32,
  columns: i32,
): i32 {
  let count = 0;
  for (let t = 0; t < height; t++) {
    for (let u = 0; u < width; u += 4) {
      const vector = changetype<TileVector>(vectors + <usize>count * VECTOR_BYTES);
      vector.x = tile + ((<usize>(t * p.pitch + u)) << 2);
      vector.c = output + ((<usize>(t * p.rowStep * p.outputW + u * p.columnStep)) << 2);
      const lanes = min(4, width - u);
      vector.count = p.paired ? min(2 * lanes, columns - 2 * u) : lanes;
      count++;
    }
  }
  return count;
}

/** panel[k][j] = tile at offset k, column j. */
function packColumns(panel: usize, tile: usize, offsets: usize, k: i32, columns: usize, count: i32): void {
  const end = columns + ((<usize>count) << 3);
  for (let i = 0; i < k; i++) {
    panel = gatherColumns(tile + <usize>load<u32>(offsets + ((<usize>i) << 2)), columns, end, panel);
  }
}

/** Moves the packed result [rows][count] to the output. */
function scatterColumns(
  output: usize,
  plane: usize,
  result: usize,
  rows: i32,
  columns: usize,
  count: i32,
  real: i32,
): void {
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < real; j++) {
      const column = changetype<Column>(columns + ((<usize>j) << 3));
      store<u32>(output + <usize>(<u32>column.to), load<u32>(result + ((<usize>j) << 2)));
    }
    output += plane;
    result += (<usize>count) << 2;
  }
}

/**
 * Tasks: those of every correlation with that number. They are about the same part of the output, whose elements lie side by side,
 * so that one thread writes all of a cache line.
 */
export function conv2dCorrelate(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const header = changetype<CorrelateHeader>(behind(params));
  const source = buffer(buffers, 0);
  const weights = buffer(buffers, header.weights);
  const bias: usize = header.bias < 0 ? 0 : buffer(buffers, header.bias);
  const output = buffer(buffers, header.output);
  const scratch = buffer(buffers, header.scratch);
  let at = behind(header);
  for (let i = 0; i < header.count; i++) {
    const p = changetype<Correlation>(at);
    if (begin < p.tasks) correlate(p, source, weights, bias, output, scratch, begin, min(end, p.tasks));
    at += offsetof<Correlation>();
  }
}

/** Tasks [begin, end) of one correlation: (image tile, group, row tile, column tile, block of output channels), the last fastest. */
export function correlate(
  p: Correlation,
  source: usize,
  weights: usize,
  bias: usize,
  output: usize,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  const offsets = scratch + SPILL_BYTES;
  const vectors = scratch + p.vectorsAt;
  const tile = scratch + p.tileAt;
  const panel = scratch + p.panelAt;
  const result = scratch + p.resultAt;
  const classes = scratch + p.classesAt;
  const table = scratch + p.tableAt;
  const taps = p.tapRows * p.tapColumns;
  const oddTaps = p.tapRows * p.oddTapColumns;
  const depth = p.channels * taps;
  const tilesH = (p.height + p.tileHeight - 1) / p.tileHeight;
  const tilesW = (p.width + p.tileWidth - 1) / p.tileWidth;
  const outputBlocks = (p.rows + p.tileOutputs - 1) / p.tileOutputs;
  const isWhole = p.tileChannels >= p.channels;
  const imageStride = p.tileChannels * p.plane;
  let tileInScratch = -1;
  let count = 0;
  let real = 0;
  let classCount = 0;
  fillOffsets(p, offsets, p.tapColumn, p.tapColumns, p.tapColumnStep);
  const half = halfOf(scratch);
  half.offsets = offsets + ((<usize>(p.tileChannels * taps)) << 2);
  half.lda = (<usize>(p.channels * oddTaps)) << 2;
  fillOffsets(p, half.offsets, p.oddTapColumn, p.oddTapColumns, p.oddTapColumnStep);
  for (let task = begin; task < end; task++) {
    const tileIndex = task / outputBlocks;
    const firstOutput = (task % outputBlocks) * p.tileOutputs;
    const outputs = min(p.tileOutputs, p.rows - firstOutput);
    const column = (tileIndex % tilesW) * p.tileWidth;
    const row = ((tileIndex / tilesW) % tilesH) * p.tileHeight;
    const group = (tileIndex / (tilesW * tilesH)) % p.groups;
    const image = (tileIndex / (tilesW * tilesH * p.groups)) * p.tileImages;
    const images = min(p.tileImages, p.batch - image);
    const height = min(p.tileHeight, p.height - row);
    const width = min(p.tileWidth, p.width - column);
    const channelIndex = group * p.rows + firstOutput;
    const outputRow = p.rowOffset + row * p.rowStep;
    const outputColumn = p.columnOffset + column * p.columnStep;
    const outputAt = (image * p.groups * p.rows + channelIndex) * p.outputPlane + outputRow * p.outputW + outputColumn;
    const target = output + ((<usize>outputAt) << 2);
    if (taps + oddTaps == 0) {
      const columns = min(2 * width, p.outputW - outputColumn);
      for (let o = 0; o < outputs; o++) {
        const value = bias ? load<u32>(bias + ((<usize>(channelIndex + o)) << 2)) : 0;
        for (let t = 0; t < height; t++) {
          fillWords(target + ((<usize>(o * p.outputPlane + t * p.rowStep * p.outputW)) << 2), value, columns);
        }
      }
      continue;
    }
    const isNew = tileIndex != tileInScratch || !isWhole;
    if (p.packed) {
      const isBordered = p.packed == BORDERED;
      if (isBordered) classCount = fillBorderClasses(p, vectors, classes, images);
      count = isBordered ? countColumns(classes, classCount) : fillColumns(p, vectors, images, 0, height, 0, width, 4);
      real = isBordered ? count : images * height * width;
    } else {
      count = fillVectors(p, vectors, tile, target, height, width, p.outputW - outputColumn);
    }
    let init = bias ? bias + ((<usize>channelIndex) << 2) : FROM_ZERO;
    let channel = 0;
    do {
      const channels = min(p.tileChannels, p.channels - channel);
      if (isNew && taps + oddTaps > 0) {
        for (let i = 0; i < images; i++) {
          const channelAt = ((image + i) * p.groups + group) * p.channels + channel;
          fillTile(
            tile + ((<usize>(i * imageStride)) << 2),
            source + ((<usize>(channelAt * p.sourceH * p.sourceW)) << 2),
            channels,
            p.sourceH * p.sourceW,
            p.sourceW,
            p.sourceH,
            p.sourceW,
            row * p.strideH + p.originRow,
            column * p.strideW + p.originColumn,
            p.strideH,
            p.strideW,
            p.phasesH,
            p.phasesW,
            p.phaseRows,
            p.pitch,
            p.plane,
          );
        }
        if (p.packed == BORDERED) packBordered(p, classes, classCount, channels, tile, offsets, vectors, panel, table);
        else if (p.packed) packColumns(panel, tile, offsets, channels * taps, vectors, count);
      }
      const weightAt = p.weightsAt + channelIndex * depth + channel * taps;
      const a = weights + ((<usize>weightAt) << 2);
      const lda = (<usize>depth) << 2;
      if (p.packed == BORDERED) {
        multiplyBordered(classes, classCount, channels, a, lda, outputs, panel, table, result, init);
      } else if (p.packed) {
        multiplyPacked(a, lda, outputs, offsets, channels * taps, panel, result, count, init, scratch);
      } else {
        const step: usize = p.paired ? PAIRED : (<usize>p.columnStep) << 2;
        half.k = channels * oddTaps;
        half.a = weights + ((<usize>(p.oddWeightsAt + (channelIndex * p.channels + channel) * oddTaps)) << 2);
        const ldc = (<usize>p.outputPlane) << 2;
        multiply(a, lda, outputs, offsets, channels * taps, vectors, count, ldc, step, init, scratch);
      }
      init = FROM_C;
      channel += p.tileChannels;
    } while (channel < p.channels);
    if (p.packed) scatterColumns(target, (<usize>p.outputPlane) << 2, result, outputs, vectors, count, real);
    tileInScratch = tileIndex;
  }
}

/** result[rows][count] from the panel [k][count]. The tables of offsets and vectors for it stand behind the result. */
function multiplyPacked(
  a: usize,
  lda: usize,
  rows: i32,
  offsets: usize,
  k: i32,
  panel: usize,
  result: usize,
  count: i32,
  init: usize,
  spill: usize,
): void {
  const panelOffsets = result + ((<usize>(rows * count)) << 2);
  const vectors = panelOffsets + ((<usize>k) << 2);
  for (let i = 0; i < k; i++) store<i32>(panelOffsets + ((<usize>i) << 2), 4 * i * count);
  for (let i = 0; i < count >> 2; i++) {
    const vector = changetype<TileVector>(vectors + <usize>i * VECTOR_BYTES);
    vector.x = panel + ((<usize>i) << 4);
    vector.c = result + ((<usize>i) << 4);
    vector.count = 4;
  }
  multiply(a, lda, rows, panelOffsets, k, vectors, count >> 2, (<usize>count) << 2, 4, init, spill);
}
