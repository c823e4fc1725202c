// Optimiser steps and the running average for the WASM device, four elements at a time and in place; see optimizer.ts for
// the update rules. Tasks are elements, those of one parameter behind those of another: a step walks over the parameters that
// its range meets. `buffers` holds the gradients first, then each parameter with its states.
import { behind } from '../shared/addresses.as';
import { loadLanes, storeLanes } from '../shared/simd.as';
import { AdamParams, RmspropParams, RunningAverageParams, SgdParams, StepPlan } from './params.as';

/** Address of operand `k`, moved to element `begin`. */
@inline
function operand(buffers: usize, k: i32, begin: i32): usize {
  return <usize>load<u32>(buffers + ((<usize>k) << 2)) + ((<usize>begin) << 2);
}

/** Word `k` of a list. */
@inline
function entry(list: usize, k: i32): i32 {
  return load<i32>(list + ((<usize>k) << 2));
}

/** a x + b */
@inline
function axpy(a: v128, x: v128, b: v128): v128 {
  return f32x4.add(f32x4.mul(a, x), b);
}

export function sgdStep(params: SgdParams, buffers: usize, begin: i32, end: i32): void {
  const count = changetype<StepPlan>(behind(params)).count;
  const updated = params.momentum != 0 ? 2 : 1;
  let first = 0;
  for (let k = 0; first < end; k++) {
    const n = entry(params.n, k);
    const from = max(begin - first, 0);
    const to = min(end - first, n);
    if (from < to) sgdPart(params, buffers, k, count + k * updated, from, to);
    first += n;
  }
}

/** Elements `begin` to `end` of parameter k, whose states begin at operand `own`. */
function sgdPart(params: SgdParams, buffers: usize, k: i32, own: i32, begin: i32, end: i32): void {
  const learningRate = params.learningRate4;
  const momentum = params.momentum4;
  const gain = params.gain4;
  const weightDecay = params.weightDecay4;
  const nesterov = params.nesterov;
  const first = params.first;
  const hasMomentum = params.momentum != 0;
  let g = operand(buffers, k, begin);
  let p = operand(buffers, own, begin);
  let b = operand(buffers, own + 1, begin);
  for (let i = begin; i < end; i += 4) {
    const count = min(4, end - i);
    const parameter = loadLanes(p, count);
    const gradient = axpy(weightDecay, parameter, loadLanes(g, count));
    let direction = gradient;
    if (hasMomentum) {
      let average = gradient;
      if (!first) average = axpy(momentum, loadLanes(b, count), f32x4.mul(gain, gradient));
      storeLanes(b, average, count);
      direction = nesterov ? axpy(momentum, average, gradient) : average;
    }
    storeLanes(p, f32x4.sub(parameter, f32x4.mul(learningRate, direction)), count);
    g += 16;
    p += 16;
    b += 16;
  }
}

export function adamStep(params: AdamParams, buffers: usize, begin: i32, end: i32): void {
  const count = changetype<StepPlan>(behind(params)).count;
  const updated = params.amsgrad ? 4 : 3;
  let first = 0;
  for (let k = 0; first < end; k++) {
    const n = entry(params.n, k);
    const from = max(begin - first, 0);
    const to = min(end - first, n);
    if (from < to) adamPart(params, buffers, k, count + k * updated, from, to);
    first += n;
  }
}

/** Elements `begin` to `end` of parameter k, whose states begin at operand `own`. */
function adamPart(params: AdamParams, buffers: usize, k: i32, own: i32, begin: i32, end: i32): void {
  const stepSize = params.stepSize4;
  const beta1 = params.beta14;
  const beta2 = params.beta24;
  const oneMinusBeta1 = params.oneMinusBeta14;
  const oneMinusBeta2 = params.oneMinusBeta24;
  const eps = params.eps4;
  const weightDecay = params.weightDecay4;
  const shrink = params.shrink4;
  const correction = params.correction4;
  const amsgrad = params.amsgrad;
  let g = operand(buffers, k, begin);
  let p = operand(buffers, own, begin);
  let m = operand(buffers, own + 1, begin);
  let v = operand(buffers, own + 2, begin);
  let vMax = operand(buffers, own + 3, begin);
  for (let i = begin; i < end; i += 4) {
    const count = min(4, end - i);
    const parameter = f32x4.mul(shrink, loadLanes(p, count));
    const gradient = axpy(weightDecay, parameter, loadLanes(g, count));
    const first = axpy(beta1, loadLanes(m, count), f32x4.mul(oneMinusBeta1, gradient));
    let second = axpy(beta2, loadLanes(v, count), f32x4.mul(f32x4.mul(oneMinusBeta2, gradient), gradient));
    storeLanes(m, first, count);
    storeLanes(v, second, count);
    if (amsgrad) {
      second = f32x4.max(loadLanes(vMax, count), second);
      storeLanes(vMax, second, count);
    }
    const divisor = f32x4.add(f32x4.div(f32x4.sqrt(second), correction), eps);
    storeLanes(p, f32x4.sub(parameter, f32x4.div(f32x4.mul(stepSize, first), divisor)), count);
    g += 16;
    p += 16;
    m += 16;
    v += 16;
    vMax += 16;
  }
}

export function rmspropStep(params: RmspropParams, buffers: usize, begin: i32, end: i32): void {
  const count = changetype<StepPlan>(behind(params)).count;
  const updated = 2 + <i32>(params.centered != 0) + <i32>(params.momentum != 0);
  let first = 0;
  for (let k = 0; first < end; k++) {
    const n = entry(params.n, k);
    const from = max(begin - first, 0);
    const to = min(end - first, n);
    if (from < to) rmspropPart(params, buffers, k, count + k * updated, from, to);
    first += n;
  }
}

/** Elements `begin` to `end` of parameter k, whose states begin at operand `own`. */
function rmspropPart(params: RmspropParams, buffers: usize, k: i32, own: i32, begin: i32, end: i32): void {
  const learningRate = params.learningRate4;
  const alpha = params.alpha4;
  const oneMinusAlpha = params.oneMinusAlpha4;
  const eps = params.eps4;
  const weightDecay = params.weightDecay4;
  const momentum = params.momentum4;
  const hasMomentum = params.momentum != 0;
  const centered = params.centered;
  let g = operand(buffers, k, begin);
  let p = operand(buffers, own, begin);
  let v = operand(buffers, own + 1, begin);
  let a = operand(buffers, own + 2, begin);
  let b = operand(buffers, centered ? own + 3 : own + 2, begin);
  for (let i = begin; i < end; i += 4) {
    const count = min(4, end - i);
    const parameter = loadLanes(p, count);
    const gradient = axpy(weightDecay, parameter, loadLanes(g, count));
    const square = f32x4.mul(f32x4.mul(oneMinusAlpha, gradient), gradient);
    let variance = axpy(alpha, loadLanes(v, count), square);
    storeLanes(v, variance, count);
    if (centered) {
      const average = axpy(alpha, loadLanes(a, count), f32x4.mul(oneMinusAlpha, gradient));
      storeLanes(a, average, count);
      variance = f32x4.sub(variance, f32x4.mul(average, average));
    }
    let step = f32x4.div(gradient, f32x4.add(f32x4.sqrt(variance), eps));
    if (hasMomentum) {
      step = axpy(momentum, loadLanes(b, count), step);
      storeLanes(b, step, count);
    }
    storeLanes(p, f32x4.sub(parameter, f32x4.mul(learningRate, step)), count);
    g += 16;
    p += 16;
    v += 16;
    a += 16;
    b += 16;
  }
}

/** y = keep y + gain x for `n` elements. */
function average(y: usize, x: usize, n: i32, keep: f32, gain: f32): void {
  const keep4 = f32x4.splat(keep);
  const gain4 = f32x4.splat(gain);
  for (let i = 0; i < n; i += 4) {
    const count = min(4, n - i);
    storeLanes(y, axpy(keep4, loadLanes(y, count), f32x4.mul(gain4, loadLanes(x, count))), count);
    x += 16;
    y += 16;
  }
}

/** Tasks are elements, those of one average behind those of the other. */
export function runningAverage(params: RunningAverageParams, buffers: usize, begin: i32, end: i32): void {
  for (let k = 0; k < params.count; k++) {
    const from = max(begin - k * params.n, 0);
    const n = min(end - k * params.n, params.n) - from;
    const gain = k ? params.gain1 : params.gain0;
    average(operand(buffers, params.count + k, from), operand(buffers, k, from), n, params.keep, gain);
  }
}
