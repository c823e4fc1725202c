// The way back of Winograd's convolutions: the products of a panel of filters to outputs, A' M A.
import { words } from '../shared/addresses.as';
import { storePart } from '../shared/simd.as';
import { TileGrid, WinogradPlan } from './params.as';
import { advance, gridSize, locate, Unit } from './winograd-image.as';
import { PANEL } from './panel-tiles.as';
import { INPUTS, OUTPUTS, turned0, turned1, turned2, turned3, turnProducts } from './winograd-transforms.as';

/** Four channels of one output. */
@inline
function putOutput(to: usize, plane: usize, y: v128): void {
  v128.store32_lane(to, y, 0);
  v128.store32_lane(to + plane, y, 1);
  v128.store32_lane(to + 2 * plane, y, 2);
  v128.store32_lane(to + 3 * plane, y, 3);
}

/** As putRow for columns that are `step` bytes apart. */
@inline
function spreadRow(to: usize, plane: usize, y0: v128, y1: v128, y2: v128, y3: v128, columns: i32, step: usize): void {
  putOutput(to, plane, y0);
  if (columns > 1) putOutput(to + step, plane, y1);
  if (columns > 2) putOutput(to + 2 * step, plane, y2);
  if (columns > 3) putOutput(to + 3 * step, plane, y3);
}

/** One row of outputs of four channels: y0 to y3 hold its columns, of which the last may stand outside the image. */
@inline
function putRow(to: usize, plane: usize, y0: v128, y1: v128, y2: v128, y3: v128, columns: i32): void {
  const low01 = v128.shuffle<i32>(y0, y1, 0, 4, 1, 5);
  const low23 = v128.shuffle<i32>(y2, y3, 0, 4, 1, 5);
  const high01 = v128.shuffle<i32>(y0, y1, 2, 6, 3, 7);
  const high23 = v128.shuffle<i32>(y2, y3, 2, 6, 3, 7);
  const o0 = v128.shuffle<i64>(low01, low23, 0, 2);
  const o1 = v128.shuffle<i64>(low01, low23, 1, 3);
  const o2 = v128.shuffle<i64>(high01, high23, 0, 2);
  const o3 = v128.shuffle<i64>(high01, high23, 1, 3);
  const to2 = to + 2 * plane;
  if (columns >= OUTPUTS) {
    v128.store(to, o0);
    v128.store(to + plane, o1);
    v128.store(to2, o2);
    v128.store(to2 + plane, o3);
  } else {
    storePart(to, o0, columns);
    storePart(to + plane, o1, columns);
    storePart(to2, o2, columns);
    storePart(to2 + plane, o3, columns);
  }
}

/** A' M A: outputs of four channels for a row of tiles, up to four `rows` of `width` elements that are `step` bytes apart. */
function turnTiles(
  products: usize,
  stride: usize,
  turned: usize,
  bias: v128,
  to: usize,
  plane: usize,
  pitch: usize,
  rows: i32,
  width: i32,
  step: usize,
): void {
  const endLine = turned + INPUTS * 16;
  do {
    let from = products;
    let write = turned;
    do {
      turnProducts(from, INPUTS * stride, write, INPUTS * 16);
      from += stride;
      write += 16;
    } while (write < endLine);
    let row = to;
    let line = turned;
    for (let i = 0; i < min(OUTPUTS, rows); i++) {
      // As turnProducts, in registers.
      const m1 = v128.load(line, 16);
      const m2 = v128.load(line, 32);
      const m3 = v128.load(line, 48);
      const m4 = v128.load(line, 64);
      const evenA = f32x4.add(m1, m2);
      const oddA = f32x4.sub(m1, m2);
      const evenB = f32x4.add(m3, m4);
      const oddB = f32x4.sub(m3, m4);
      const y0 = f32x4.add(turned0(v128.load(line), evenA, evenB), bias);
      const y1 = f32x4.add(turned1(oddA, oddB), bias);
      const y2 = f32x4.add(turned2(evenA, evenB), bias);
      const y3 = f32x4.add(turned3(oddA, oddB, v128.load(line, 80)), bias);
      if (step == 4) putRow(row, plane, y0, y1, y2, y3, width);
      else spreadRow(row, plane, y0, y1, y2, y3, width, step);
      line += INPUTS * 16;
      row += pitch;
    }
    products += PANEL * 4;
    to += OUTPUTS * step;
    width -= OUTPUTS;
  } while (width > 0);
}

/** The outputs of one panel of filters for the units [first, end). */
export function turnPanel(
  grid: TileGrid,
  p: WinogradPlan,
  bias: usize,
  output: usize,
  scratch: usize,
  panel: i32,
  first: i32,
  end: i32,
): void {
  const plane = words(p.height * p.width);
  const step = words(grid.dilation);
  const pitch = step * <usize>p.width;
  const turned = scratch + p.turnedAt;
  const at = changetype<Unit>(scratch + p.repeatAt);
  let tileAt = scratch + p.productsAt;
  locate(grid, first, at);
  for (let unit = first; unit < end; unit++) {
    const row = at.tileRow * OUTPUTS;
    const column = at.firstTile * OUTPUTS;
    const rows = min(OUTPUTS, gridSize(p.height, at.row, grid.dilation) - row);
    const width = min(gridSize(p.width, at.column, grid.dilation) - column, OUTPUTS * at.tiles);
    const pixel = (at.row + row * grid.dilation) * p.width + at.column + column * grid.dilation;
    for (let half = 0; half < PANEL && rows > 0 && width > 0; half += 4) {
      const channel = panel * PANEL + half;
      if (channel >= p.outputs) break;
      const biases = bias ? v128.load(bias + words(channel)) : i32x4.splat(0);
      const to = output + words(pixel) + <usize>(at.image * p.outputs + channel) * plane;
      turnTiles(tileAt + words(half), p.productStride, turned, biases, to, plane, pitch, rows, width, step);
    }
    tileAt += words(PANEL * at.tiles);
    advance(grid, at);
  }
}
