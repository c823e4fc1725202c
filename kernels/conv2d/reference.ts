// Reference loops of conv2d and its two adjoints. All three run over the same taps: a tap is one triple of an input
// element x, a weight w and an output element y that meet in y += w x. Read the other way it gives both gradients,
// x' += w g and w' += x g, so the three kernels are adjoint to each other by construction.
import type { PlanTable, ReferenceArray, ReferencePlan } from '../plan.ts';
import { conv2d, conv2dInputGradient, type Conv2dParams, conv2dWeightGradient } from './conv2d.ts';

/** Runs `visit` for every tap with the places of its x, w and y in their buffers. Taps on padding are left out. */
function eachTap(p: Conv2dParams, visit: (x: number, w: number, y: number) => void): void {
  const inPerGroup = p.inChannels / p.groups;
  const outPerGroup = p.outChannels / p.groups;
  for (let n = 0; n < p.batch; n++) {
    for (let o = 0; o < p.outChannels; o++) {
      const firstChannel = Math.floor(o / outPerGroup) * inPerGroup;
      for (let outRow = 0; outRow < p.outH; outRow++) {
        for (let outColumn = 0; outColumn < p.outW; outColumn++) {
          const y = ((n * p.outChannels + o) * p.outH + outRow) * p.outW + outColumn;
          for (let c = 0; c < inPerGroup; c++) {
            for (let r = 0; r < p.kernelH; r++) {
              const row = outRow * p.strideH - p.padH + r * p.dilationH;
              if (row < 0 || row >= p.inH) continue;
              for (let s = 0; s < p.kernelW; s++) {
                const column = outColumn * p.strideW - p.padW + s * p.dilationW;
                if (column < 0 || column >= p.inW) continue;
                const x = ((n * p.inChannels + firstChannel + c) * p.inH + row) * p.inW + column;
                const w = ((o * inPerGroup + c) * p.kernelH + r) * p.kernelW + s;
                visit(x, w, y);
              }
            }
          }
        }
      }
    }
  }
}

/** Sets every element of [batch, channels, H, W] to its channel's bias, or to zero if there is none. */
function fillBias(image: ReferenceArray, bias: ReferenceArray | undefined): void {
  const [batch, channels, height, width] = image.shape;
  const plane = height * width;
  for (let entry = 0; entry < batch * channels; entry++) {
    image.data.fill(bias ? bias.get(entry % channels) : 0, entry * plane, (entry + 1) * plane);
  }
}

const forwardLoop: ReferencePlan<Conv2dParams> = ([x, w, bias], [y], p) => {
  fillBias(y, bias);
  eachTap(p, (xAt, wAt, yAt) => (y.data[yAt] += w.data[wAt] * x.data[xAt]));
};

const inputGradientLoop: ReferencePlan<Conv2dParams> = ([g, w, bias], [gx], p) => {
  fillBias(gx, bias);
  eachTap(p, (xAt, wAt, yAt) => (gx.data[xAt] += w.data[wAt] * g.data[yAt]));
};

const weightGradientLoop: ReferencePlan<Conv2dParams> = ([x, g], [gw], p) => {
  gw.data.fill(0);
  eachTap(p, (xAt, wAt, yAt) => (gw.data[wAt] += x.data[xAt] * g.data[yAt]));
};

export function addConv2d(table: PlanTable<ReferencePlan<never>>): void {
  table.add(conv2d, forwardLoop);
  table.add(conv2dInputGradient, inputGradientLoop);
  table.add(conv2dWeightGradient, weightGradientLoop);
}
