// Random cases of resize and its adjoint.
import fc from 'fast-check';
import { type Kernel, resize, resizeBackward, ResizeMode, type ResizeParams } from '../../../kernels/index.ts';
import { caseSource, exact, flag } from '../cases.ts';

interface Axis {
  in: number;
  out: number;
  /** 0: the step is in / out; else 1 / factor. */
  factor: number;
}

/** The source step as the caller computes it. */
function step({ in: inSize, out, factor }: Axis, isAligned: boolean): number {
  if (isAligned) return out > 1 ? (inSize - 1) / (out - 1) : 0;
  return factor ? 1 / factor : inSize / out;
}

function resizeOf(planes: number, h: Axis, w: Axis, mode: ResizeMode, aligned: number): ResizeParams {
  const alignCorners = mode === ResizeMode.nearest ? 0 : aligned;
  return {
    planes,
    inH: h.in,
    inW: w.in,
    outH: h.out,
    outW: w.out,
    mode,
    alignCorners,
    scaleH: step(h, alignCorners === 1),
    scaleW: step(w, alignCorners === 1),
  };
}

const size = fc.integer({ min: 1, max: 20 });
const axis: fc.Arbitrary<Axis> = fc.oneof(
  fc.record({ in: size, out: size, factor: fc.constant(0) }),
  fc
    .record({ in: size, factor: fc.constantFrom(0.5, 1.2, 1.5, 2, 2.7, 4) })
    .map(({ in: inSize, factor }) => ({ in: inSize, out: Math.max(1, Math.floor(inSize * factor)), factor })),
);

const modes = fc.constantFrom(ResizeMode.nearest, ResizeMode.bilinear);

const sizes: readonly [number, number, number, number, number][] = [
  [1, 1, 1, 1, 1],
  [0, 3, 3, 6, 6],
  [3, 1, 1, 7, 9],
  [2, 7, 9, 1, 1],
  [65, 4, 5, 8, 10],
  [2, 17, 16, 68, 65],
  [2, 66, 130, 33, 31],
  [1, 48, 64, 113, 131],
];
const examples = sizes.flatMap(([planes, inH, inW, outH, outW]) =>
  [
    [ResizeMode.nearest, 0],
    [ResizeMode.bilinear, 0],
    [ResizeMode.bilinear, 1],
  ].map(([mode, aligned]) =>
    resizeOf(planes, { in: inH, out: outH, factor: 0 }, { in: inW, out: outW, factor: 0 }, mode, aligned),
  ),
);

const source = (kernel: Kernel<ResizeParams>, isGradient: boolean) =>
  caseSource({
    kernel,
    params: fc
      .tuple(fc.nat(3), axis, axis, modes, flag)
      .map(([planes, h, w, mode, aligned]) => resizeOf(planes, h, w, mode, aligned)),
    examples,
    // A source position of n has an error of n ulp, which is the error of the weights.
    tolerance: ({ mode, inH, inW, outH, outW }) => {
      if (mode === ResizeMode.nearest && !isGradient) return exact;
      const reads = isGradient ? Math.max(1, (outH * outW) / (inH * inW)) : 1;
      return { rtol: 1e-5, atol: 1e-6 * Math.max(inH, inW, 8) * Math.sqrt(reads) };
    },
  });

export const resizeSource = source(resize, false);
export const resizeBackwardSource = source(resizeBackward, true);
