// Reference loops of resize and its adjoint. An output position of an axis reads at most two input positions with weights
// that add up to 1; the image is the product of its two axes, and the gradient goes back along the same pairs.
import type { PlanTable, ReferencePlan } from '../plan.ts';
import { resize, resizeBackward, ResizeMode, type ResizeParams } from './resize.ts';

/** One input position that an output position reads, and its weight. */
interface Source {
  readonly position: number;
  readonly weight: number;
}

/**
 * What each output position of one axis reads. Bilinear positions are float64: one that falls on the other side of a whole number
 * than in float32 reads other pixels, but with weights that give the same. The nearest pixel is another matter. Which one it
 * is, PyTorch decides in float32 for every element type, so that this is its definition.
 */
function sources(p: ResizeParams, inSize: number, outSize: number, scale: number): Source[][] {
  return Array.from({ length: outSize }, (_, i) => {
    if (p.mode === ResizeMode.nearest) {
      const at = Math.fround(i * Math.fround(scale));
      return [{ position: Math.min(Math.floor(at), inSize - 1), weight: 1 }];
    }
    const at = p.alignCorners ? i * scale : Math.max(0, (i + 0.5) * scale - 0.5);
    const low = Math.min(Math.floor(at), inSize - 1);
    const high = Math.min(low + 1, inSize - 1);
    const fraction = at - low;
    return [
      { position: low, weight: 1 - fraction },
      { position: high, weight: fraction },
    ];
  });
}

/** Runs `visit` for every pair of an input element x and an output element y that reads it with this weight. */
function eachPair(p: ResizeParams, visit: (x: number, y: number, weight: number) => void): void {
  const rows = sources(p, p.inH, p.outH, p.scaleH);
  const columns = sources(p, p.inW, p.outW, p.scaleW);
  for (let plane = 0; plane < p.planes; plane++) {
    for (let i = 0; i < p.outH; i++) {
      for (let j = 0; j < p.outW; j++) {
        const y = (plane * p.outH + i) * p.outW + j;
        for (const row of rows[i]) {
          for (const column of columns[j]) {
            visit((plane * p.inH + row.position) * p.inW + column.position, y, row.weight * column.weight);
          }
        }
      }
    }
  }
}

const resizeLoop: ReferencePlan<ResizeParams> = ([x], [y], p) => {
  y.data.fill(0);
  eachPair(p, (xAt, yAt, weight) => (y.data[yAt] += weight * x.data[xAt]));
};

const resizeBackwardLoop: ReferencePlan<ResizeParams> = ([g], [gx], p) => {
  gx.data.fill(0);
  eachPair(p, (xAt, yAt, weight) => (gx.data[xAt] += weight * g.data[yAt]));
};

export function addResize(table: PlanTable<ReferencePlan<never>>): void {
  table.add(resize, resizeLoop);
  table.add(resizeBackward, resizeBackwardLoop);
}
