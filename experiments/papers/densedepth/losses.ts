// The losses of DenseDepth with a class head (section 4 of the specification): structural similarity, differences of neighbouring
// pixels and absolute error of metric depth, and cross-entropy of the class.
import { abs, add, crossEntropy, mean, mul, narrow, ssimLoss, sub, type Tensor } from '../../../engine/index.ts';

/** Weights of the three terms of the depth loss. */
export interface DepthWeights {
  readonly ssim: number;
  readonly gradient: number;
  readonly mae: number;
}

/**
 * Mean over pixels of the absolute differences between both pictures' steps to the next row and to the next column. The last row
 * and column have no step and count as 0, as in the authors' code.
 */
export function gradientLoss(prediction: Tensor, target: Tensor): Tensor {
  const error = sub(prediction, target);
  const along = (axis: 2 | 3): Tensor => {
    const steps = error.shape[axis]! - 1;
    const step = sub(narrow(error, axis, 1, steps), narrow(error, axis, 0, steps));
    return mul(mean(abs(step)), steps / (steps + 1));
  };
  return add(along(2), along(3));
}

/** The depth loss of maps (N, 1, H, W) in metres: a scalar, the mean over the batch. `range` is the L of SSIM, in metres. */
export function depthLoss(
  prediction: Tensor,
  target: Tensor,
  { weights, range }: { readonly weights: DepthWeights; readonly range: number },
): Tensor {
  const structure = mul(ssimLoss(prediction, target, { maxValue: range }), weights.ssim);
  const gradient = mul(gradientLoss(prediction, target), weights.gradient);
  return add(add(structure, gradient), mul(mean(abs(sub(prediction, target))), weights.mae));
}

export interface TaskLosses {
  readonly loss: Tensor;
  readonly depthLoss: Tensor;
  readonly classesLoss: Tensor;
}

/** Both losses and their plain sum. `valid` (N, 1, H, W), 1 where depth was measured, leaves all other pixels out of the depth loss. */
export function taskLosses(
  outputs: { readonly depth: Tensor; readonly logits: Tensor },
  targets: { readonly depth: Tensor; readonly labels: Tensor; readonly valid?: Tensor | undefined },
  options: { readonly weights: DepthWeights; readonly range: number },
): TaskLosses {
  // Depth is 0 where nothing was measured: with the prediction set to 0 there, those pixels have no error and no gradient.
  const predicted = targets.valid ? mul(outputs.depth, targets.valid) : outputs.depth;
  const depth = depthLoss(predicted, targets.depth, options);
  const classes = crossEntropy(outputs.logits, targets.labels);
  return { loss: add(depth, classes), depthLoss: depth, classesLoss: classes };
}
