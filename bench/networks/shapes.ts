// Shapes of convolutions: as peers are told them, as kernels take them, as people read them, and from a file. Square windows,
// the same stride, padding and dilation along both axes; that is all that the networks have.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError, DataError } from '../../engine/index.ts';
import { conv2d, type Conv2dParams } from '../../kernels/index.ts';

const size = z.int().min(1);

/** Absent: stride, dilation and groups are 1, padding keeps the size at stride 1. */
const convShape = z.strictObject({
  batch: size,
  inChannels: size,
  height: size,
  width: size,
  outChannels: size,
  kernel: size,
  stride: size.optional(),
  padding: z.int().min(0).optional(),
  dilation: size.optional(),
  groups: size.optional(),
});
export type ConvShape = z.infer<typeof convShape>;

const shapeFile = z.array(convShape).min(1);

/** A convolution with everything said. */
export function completed(shape: ConvShape): Required<ConvShape> {
  const { kernel, stride = 1, dilation = 1, groups = 1 } = shape;
  const { padding = Math.floor((dilation * (kernel - 1)) / 2) } = shape;
  return { ...shape, stride, padding, dilation, groups };
}

export function convParams(shape: ConvShape): Conv2dParams {
  const { batch, inChannels, height, width, outChannels, kernel, stride, padding, dilation, groups } = completed(shape);
  const outOf = (side: number): number => Math.floor((side + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
  return {
    batch,
    inChannels,
    inH: height,
    inW: width,
    outChannels,
    outH: outOf(height),
    outW: outOf(width),
    kernelH: kernel,
    kernelW: kernel,
    strideH: stride,
    strideW: stride,
    padH: padding,
    padW: padding,
    dilationH: dilation,
    dilationW: dilation,
    groups,
    bias: 0,
  };
}

/** The shape of a launch of one of the three convolution kernels; undefined where it is not square. */
export function shapeOf(p: Conv2dParams): Required<ConvShape> | undefined {
  const shape = {
    batch: p.batch,
    inChannels: p.inChannels,
    height: p.inH,
    width: p.inW,
    outChannels: p.outChannels,
    kernel: p.kernelH,
    stride: p.strideH,
    padding: p.padH,
    dilation: p.dilationH,
    groups: p.groups,
  };
  const again = { ...convParams(shape), bias: p.bias };
  return Object.entries(again).every(([name, value]) => p[name as keyof Conv2dParams] === value) ? shape : undefined;
}

/** Multiply-adds counted twice, those on padding too, as the kernels count them. */
export const convFlops = (shape: ConvShape): number => conv2d.flops(convParams(shape));

/** Such as `3x3, 8x64x64x64 to 64, stride 2`. */
export function convTitle(shape: ConvShape): string {
  const { batch, inChannels, height, width, outChannels, kernel, stride, padding, dilation, groups } = completed(shape);
  const usual = Math.floor((dilation * (kernel - 1)) / 2);
  return (
    `${kernel}x${kernel}, ${batch}x${inChannels}x${height}x${width} to ${outChannels}` +
    (stride === 1 ? '' : `, stride ${stride}`) +
    (dilation === 1 ? '' : `, dilation ${dilation}`) +
    (padding === usual ? '' : `, padding ${padding}`) +
    (groups === 1 ? '' : `, ${groups} groups`)
  );
}

/** Reads a JSON list of shapes. Throws DataError for a file that holds no such list, ConfigError where no window fits. */
export async function readShapes(file: string): Promise<ConvShape[]> {
  let parsed: z.ZodSafeParseResult<ConvShape[]>;
  try {
    parsed = shapeFile.safeParse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw new DataError(`${file} cannot be read as JSON`, { given: (error as Error).message, cause: error });
  }
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new DataError(`${file} is not a list of convolutions: ${['entry', ...path].join(' ')}: ${message}`, {
      expected:
        'batch, inChannels, height, width, outChannels, kernel, and if need be stride, padding, dilation, groups',
    });
  }
  for (const shape of parsed.data) {
    const { outH, outW, inChannels, outChannels, groups } = convParams(shape);
    if (outH < 1 || outW < 1 || inChannels % groups || outChannels % groups) {
      throw new ConfigError(`${file}: no convolution has this shape`, { given: convTitle(shape) });
    }
  }
  return parsed.data;
}
