// What the kernels of Winograd's algorithm read behind their parameters. winograd.wasm.ts and winograd-weight-gradient.wasm.ts
// work it out.
import { Places } from './correlation-plan.wasm.ts';

/**
 * The tiles of a launch. With a dilation a tile has every `dilation`-th row and column, as windows do, and there is a grid of tiles
 * for each remainder of both. A unit is a part of a row of tiles; the units of all rows of tiles of all grids of all images
 * follow one another. Sizes in elements, places in bytes of private scratch.
 */
export const TileGrid = {
  tilesH: 'i32',
  tilesW: 'i32',
  /** Parts of a row of tiles, and tiles in one. */
  segments: 'i32',
  segmentTiles: 'i32',
  /** Rows of tiles whose patch is made at once. */
  runUnits: 'i32',
  patchAt: 'i32',
  /** A Unit and behind it the lines of a row of tiles. */
  linesAt: 'i32',
  dilation: 'i32',
} as const;

/** An NCHW image and where the first tile begins in it. */
export const Plane = {
  /** Channels of the whole image. */
  channels: 'i32',
  height: 'i32',
  width: 'i32',
  row: 'i32',
  column: 'i32',
} as const;

/** What the description of a source's tiles needs to know, and where it goes. */
export const TileWatch = {
  /** Outputs. */
  height: 'i32',
  width: 'i32',
  /** Of private scratch, in bytes: a TileLook and behind it the sums of the pixels; a Trust for every tile. */
  lookAt: 'i32',
  trustAt: 'i32',
  /** Terms of an output. */
  terms: 'i32',
} as const;

/** Of a convolution, behind the grid of tiles, the plane of the source and the watch over its tiles. Places and strides in bytes. */
export const WinogradPlan = {
  ...Places,
  channels: 'i32',
  outputs: 'i32',
  height: 'i32',
  width: 'i32',
  units: 'i32',
  taskUnits: 'i32',
  /** From one filter to the next, and from one of its channels to the next. */
  filterStep: 'i32',
  channelStep: 'i32',
  /** The first tap of a filter, and the step to the next tap. */
  firstTap: 'i32',
  tapStep: 'i32',
  /** 1: filters are transformed by the tasks, in the thread's scratch. */
  isOwn: 'i32',
  /** Panels of a task, and tasks that share their units. */
  blockPanels: 'i32',
  blocks: 'i32',
  filtersAt: 'i32',
  filterStride: 'i32',
  valuesAt: 'i32',
  valueStride: 'i32',
  productsAt: 'i32',
  productStride: 'i32',
  turnedAt: 'i32',
  /** What the plain loop needs: a unit, its correlation and its filters. */
  repeatAt: 'i32',
  /** Descriptions of the worst of the task's tiles and of its panels. */
  trustAt: 'i32',
} as const;

/** Of a weight gradient, behind the grid of tiles and the planes of x and g. Places and strides in bytes. */
export const WinogradGradientPlan = {
  channels: 'i32',
  outputs: 'i32',
  /** Output channels and input channels of a task. */
  taskOutputs: 'i32',
  taskChannels: 'i32',
  units: 'i32',
  /** Units whose tiles are transformed at once. */
  blockUnits: 'i32',
  splits: 'i32',
  sumsAt: 'i32',
  sumStride: 'i32',
  valuesAt: 'i32',
  valueStride: 'i32',
  gradientsAt: 'i32',
  gradientStride: 'i32',
  batch: 'i32',
} as const;

/** What the plain sums of a weight gradient read, behind its plan. Sizes in elements, places and strides in bytes. */
export const WeightRepeat = {
  outH: 'i32',
  outW: 'i32',
  /** Zeros above and to the left of the source. */
  padH: 'i32',
  padW: 'i32',
  dilation: 'i32',
  /** Of the shared scratch: how many elements of each channel count, an order of the outputs, lists of each channel of x. */
  elementsAt: 'i32',
  orderAt: 'i32',
  listsAt: 'i32',
  listStride: 'i32',
  /** Elements in a list, at most. */
  mostListed: 'i32',
  /** Of private scratch, behind the sums of three pairs: a padded plane of x, and padded planes of three outputs. */
  paddedAt: 'i32',
  gradientsAt: 'i32',
  gradientStride: 'i32',
} as const;
