// What correlate.as.ts and the weight gradients read behind the packed parameters of a convolution.

/** Columns of a register tile (panel-tiles.as.ts, table-tile.as.ts): two vectors. */
export const PANEL = 8;

/** Places of operands and scratch in the table of buffers; `bias` is -1 if there is none. */
export const Places = { weights: 'i32', bias: 'i32', output: 'i32', scratch: 'i32' } as const;
export type Places = { readonly [name in keyof typeof Places]: number };

/** What the loops over taps read, of correlations and of weight gradients. Sizes and steps in elements. */
export const tapFields = {
  operands: {
    batch: 'i32',
    groups: 'i32',
    /** Output channels and input channels of a group. */
    rows: 'i32',
    channels: 'i32',
    sourceH: 'i32',
    sourceW: 'i32',
  },
  taps: {
    strideH: 'i32',
    strideW: 'i32',
    originRow: 'i32',
    originColumn: 'i32',
    tapRows: 'i32',
    tapColumns: 'i32',
    tapRowStep: 'i32',
    tapColumnStep: 'i32',
    tileImages: 'i32',
    tileHeight: 'i32',
    tileWidth: 'i32',
    tileChannels: 'i32',
    tileOutputs: 'i32',
  },
} as const;

/** What correlate.as.ts reads of each. Sizes and steps in elements, scratch places in bytes. */
export const Correlation = {
  tasks: 'i32',
  ...tapFields.operands,
  outputPlane: 'i32',
  outputW: 'i32',
  /** Size of the result before it is spread over the output by the steps and offsets. */
  height: 'i32',
  width: 'i32',
  rowOffset: 'i32',
  rowStep: 'i32',
  columnOffset: 'i32',
  columnStep: 'i32',
  ...tapFields.taps,
  phasesH: 'i32',
  phasesW: 'i32',
  phaseRows: 'i32',
  pitch: 'i32',
  plane: 'i32',
  /** Where this correlation's weights [groups][rows][channels taps] start. */
  weightsAt: 'i32',
  /** Columns of the tile before those that the first tap reads. */
  tapColumn: 'i32',
  /** 1: the results are the even columns of the output, and the odd ones have taps and weights of their own. */
  paired: 'i32',
  oddTapColumns: 'i32',
  oddTapColumnStep: 'i32',
  oddTapColumn: 'i32',
  oddWeightsAt: 'i32',
  /** 1: columns are packed, 2: by the taps that they meet (bordered-columns.as.ts). */
  packed: 'i32',
  classesAt: 'i32',
  tableAt: 'i32',
  vectorsAt: 'i32',
  tileAt: 'i32',
  panelAt: 'i32',
  resultAt: 'i32',
} as const;
