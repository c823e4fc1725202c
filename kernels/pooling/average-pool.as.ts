// Average pooling over planes [planes, H, W] and its adjoint for the WASM device. Forward takes four neighbouring windows
// at a time where none of them leaves the row. A window that lies in the padding has the mean 0.
import { Adjacent, EverySecond, Spread } from '../shared/simd.as';
import { PoolParams } from './params.as';

/** Sizes of a launch; written at the start of every call, since a thread runs one call at a time. */
let inH: i32 = 0;
let inW: i32 = 0;
let outH: i32 = 0;
let outW: i32 = 0;
let kernelH: i32 = 0;
let kernelW: i32 = 0;
let strideH: i32 = 0;
let strideW: i32 = 0;
let padH: i32 = 0;
let padW: i32 = 0;
let countPadding: bool = false;

function readSizes(params: PoolParams): void {
  inH = params.inH;
  inW = params.inW;
  outH = params.outH;
  outW = params.outW;
  kernelH = params.kernelH;
  kernelW = params.kernelW;
  strideH = params.strideH;
  strideW = params.strideW;
  padH = params.padH;
  padW = params.padW;
  countPadding = params.countPadding != 0;
}

/** Length of a window along one axis as the divisor sees it: clipped to the padded plane, or to the plane itself. */
@inline
function counted(start: i32, kernel: i32, pad: i32, size: i32): i32 {
  if (countPadding) return min(start + kernel, size + pad) - start;
  return min(start + kernel, size) - max(start, 0);
}

function averagePoolRows<Load>(buffers: usize, begin: i32, end: i32): void {
  const four = changetype<Load>(0);
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 4);
  const width = kernelW;
  const stride = strideW;
  // Windows [wholeBegin, wholeEnd) of a row lie inside it.
  const wholeBegin = (padW + strideW - 1) / strideW;
  const room = inW - kernelW + padW;
  const wholeEnd = room < 0 ? 0 : min(outW, room / strideW + 1);
  for (let task = begin; task < end; task++) {
    const plane = task / outH;
    const top = (task - plane * outH) * strideH - padH;
    const source = x + ((<usize>plane * inH * inW) << 2);
    const rowBegin = max(top, 0);
    const rowEnd = min(top + kernelH, inH);
    const height = counted(top, kernelH, padH, inH);
    for (let j = 0; j < outW;) {
      const at = y + ((<usize>task * outW + j) << 2);
      const left = j * strideW - padW;
      if (j >= wholeBegin && j + 4 <= wholeEnd && rowBegin < rowEnd) {
        let sum = f32x4.splat(0);
        let row = rowBegin;
        do {
          let p = source + ((<usize>row * inW + left) << 2);
          let column = 0;
          do {
            sum = f32x4.add(sum, four.load(p, stride));
            p += 4;
          } while (++column < width);
        } while (++row < rowEnd);
        v128.store(at, f32x4.div(sum, f32x4.splat(<f32>(height * kernelW))));
        j += 4;
      } else {
        const columnBegin = max(left, 0);
        const columnEnd = min(left + kernelW, inW);
        let sum: f32 = 0;
        for (let row = rowBegin; row < rowEnd; row++) {
          const p = source + ((<usize>row * inW) << 2);
          for (let column = columnBegin; column < columnEnd; column++) sum += load<f32>(p + ((<usize>column) << 2));
        }
        const isEmpty = rowBegin >= rowEnd || columnBegin >= columnEnd;
        store<f32>(at, isEmpty ? 0 : sum / <f32>(height * counted(left, kernelW, padW, inW)));
        j++;
      }
    }
  }
}

/** Tasks are rows of the output. */
export function averagePool(params: PoolParams, buffers: usize, begin: i32, end: i32): void {
  readSizes(params);
  if (strideW == 1) averagePoolRows<Adjacent>(buffers, begin, end);
  else if (strideW == 2) averagePoolRows<EverySecond>(buffers, begin, end);
  else averagePoolRows<Spread>(buffers, begin, end);
}

/** Tasks are planes: each window adds its share to the positions under it, in order. */
export function averagePoolBackward(params: PoolParams, buffers: usize, begin: i32, end: i32): void {
  readSizes(params);
  let g = <usize>load<u32>(buffers) + ((<usize>begin * outH * outW) << 2);
  const gx = <usize>load<u32>(buffers, 4);
  const inSize = (<usize>inH * inW) << 2;
  for (let plane = begin; plane < end; plane++) {
    const target = gx + inSize * plane;
    memory.fill(target, 0, inSize);
    for (let i = 0; i < outH; i++) {
      const top = i * strideH - padH;
      const rowBegin = max(top, 0);
      const rowEnd = min(top + kernelH, inH);
      const height = counted(top, kernelH, padH, inH);
      for (let j = 0; j < outW; j++) {
        const left = j * strideW - padW;
        const columnBegin = max(left, 0);
        const columnEnd = min(left + kernelW, inW);
        const share = load<f32>(g) / <f32>(height * counted(left, kernelW, padW, inW));
        for (let row = rowBegin; row < rowEnd; row++) {
          for (let column = columnBegin; column < columnEnd; column++) {
            const p = target + ((<usize>row * inW + column) << 2);
            store<f32>(p, load<f32>(p) + share);
          }
        }
        g += 4;
      }
    }
  }
}
