// Reference loops of SSIM and its gradient: the window is laid over the plane, means first, then deviations from them.
import type { PlanTable, ReferenceArray, ReferencePlan } from '../plan.ts';
import { ssim, ssimBackward, type SsimParams } from './ssim.ts';

/** Calls `visit` for every place of the window at (plane, i, j): its weight, and its element or -1 in the padding. */
function eachTap(
  p: SsimParams,
  weights: ReferenceArray['data'],
  [plane, i, j]: readonly [number, number, number],
  visit: (weight: number, at: number) => void,
): void {
  for (let k = 0; k < p.windowH; k++) {
    for (let l = 0; l < p.windowW; l++) {
      const h = i + k - p.padH;
      const w = j + l - p.padW;
      const isInside = h >= 0 && h < p.inH && w >= 0 && w < p.inW;
      visit(weights[k] * weights[p.windowH + l], isInside ? (plane * p.inH + h) * p.inW + w : -1);
    }
  }
}

/** Calls `visit` for every position of the window with its number and the statistics of x and y under it. */
function eachPosition(
  p: SsimParams,
  [x, y, window]: readonly ReferenceArray[],
  visit: (out: number, place: readonly [number, number, number], s: Statistics) => void,
): void {
  const value = (image: ReferenceArray, at: number): number => (at < 0 ? 0 : image.data[at]);
  for (let plane = 0; plane < p.planes; plane++) {
    for (let i = 0; i < p.outH; i++) {
      for (let j = 0; j < p.outW; j++) {
        const place = [plane, i, j] as const;
        const s = { meanX: 0, meanY: 0, variances: 0, covariance: 0 };
        eachTap(p, window.data, place, (weight, at) => {
          s.meanX += weight * value(x, at);
          s.meanY += weight * value(y, at);
        });
        eachTap(p, window.data, place, (weight, at) => {
          const [dx, dy] = [value(x, at) - s.meanX, value(y, at) - s.meanY];
          s.variances += weight * (dx * dx + dy * dy);
          s.covariance += weight * dx * dy;
        });
        visit((plane * p.outH + i) * p.outW + j, place, s);
      }
    }
  }
}

interface Statistics {
  meanX: number;
  meanY: number;
  /** Of x and y together. */
  variances: number;
  covariance: number;
}

/** The two factors of S and their denominators. */
function similarity({ meanX, meanY, variances, covariance }: Statistics, { c1, c2 }: SsimParams) {
  const brightness = meanX ** 2 + meanY ** 2 + c1;
  const spread = variances + c2;
  return {
    luminance: (2 * meanX * meanY + c1) / brightness,
    contrast: (2 * covariance + c2) / spread,
    brightness,
    spread,
  };
}

const ssimLoop: ReferencePlan<SsimParams> = (inputs, [map], p) => {
  eachPosition(p, inputs, (out, _, s) => {
    const { luminance, contrast } = similarity(s, p);
    map.data[out] = luminance * contrast;
  });
};

const ssimBackwardLoop: ReferencePlan<SsimParams> = ([x, y, window, g], [gx, gy], p) => {
  gx.data.fill(0);
  gy.data.fill(0);
  eachPosition(p, [x, y, window], (out, place, s) => {
    const { luminance, contrast, brightness, spread } = similarity(s, p);
    const { meanX, meanY } = s;
    const byMeanX = (2 * contrast * (meanY - luminance * meanX)) / brightness;
    const byMeanY = (2 * contrast * (meanX - luminance * meanY)) / brightness;
    const byVariances = (-luminance * contrast) / spread;
    const byCovariance = (2 * luminance) / spread;
    eachTap(p, window.data, place, (weight, at) => {
      if (at < 0) return;
      const [dx, dy] = [x.data[at] - meanX, y.data[at] - meanY];
      gx.data[at] += g.data[out] * weight * (byMeanX + 2 * dx * byVariances + dy * byCovariance);
      gy.data[at] += g.data[out] * weight * (byMeanY + 2 * dy * byVariances + dx * byCovariance);
    });
  });
};

export function addSsim(table: PlanTable<ReferencePlan<never>>): void {
  table.add(ssim, ssimLoop);
  table.add(ssimBackward, ssimBackwardLoop);
}
