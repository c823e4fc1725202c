// Which outputs of a small map have the same taps inside the image, see bordered-columns.as.ts. Pure arithmetic.
import { evenParts } from '../plan.ts';
import type { Axis, Geometry } from './correlation.wasm.ts';
import { PANEL } from './correlation-plan.wasm.ts';

/** The columns of so many images, class by class, each with copies up to whole register tiles. */
export interface Border {
  readonly images: number;
  readonly classes: number;
  readonly columns: number;
  /** Taps of all classes; multiply-adds of all columns, for each pair of channels. */
  readonly taps: number;
  readonly products: number;
}

/** Along an axis: how many outputs in a row have the same taps inside `size` elements, and how many taps those are. */
function runs(
  { size: outputs, origin, stride, taps, tapStep }: Axis,
  size: number,
): { outputs: number; taps: number }[] {
  const found: { outputs: number; taps: number; first: number }[] = [];
  for (let t = 0; t < outputs; t++) {
    const inside = Array.from({ length: taps }, (_, i) => origin + t * stride + i * tapStep).map(
      (at) => at >= 0 && at < size,
    );
    const own = { outputs: 1, taps: inside.filter(Boolean).length, first: inside.indexOf(true) };
    const last = found.at(-1);
    if (last?.taps === own.taps && last.first === own.first) last.outputs++;
    else found.push(own);
  }
  return found;
}

function bordered({ axes: [rows, columns], source }: Geometry, images: number): Border {
  const sum = { images, classes: 0, columns: 0, taps: 0, products: 0 };
  for (const row of runs(rows, source[0])) {
    for (const column of runs(columns, source[1])) {
      const taps = row.taps * column.taps;
      const count = PANEL * Math.ceil((images * row.outputs * column.outputs) / PANEL);
      sum.classes++;
      sum.columns += count;
      sum.taps += taps;
      sum.products += taps * count;
    }
  }
  return sum;
}

/** With at most so many images at a time: the fewest of those with which the least is computed for each. */
export function bestBorder(g: Geometry, mostImages: number): Border {
  let best: Border | undefined;
  for (let most = 1; most <= Math.max(1, Math.min(mostImages, g.batch)); most++) {
    const found = bordered(g, evenParts(g.batch, most));
    if (!best || found.products * best.images < best.products * found.images) best = found;
  }
  return best!;
}
