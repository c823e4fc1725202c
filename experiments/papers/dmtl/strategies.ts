// The four ways of training (section 4 of the specification): which losses, which optimizers, in which order. A strategy is
// a list of stages; a stage makes one step from one batch.
import {
  add,
  crossEntropy,
  grad,
  l1Loss,
  mseLoss,
  mul,
  type nn,
  type Optimizer,
  type Parameter,
  RMSprop,
  SGD,
  type Tensor,
} from '../../../engine/index.ts';
import type { UNet } from '../../../models/index.ts';
import type { Strategy, TrainingSettings } from './settings.ts';

export interface Batch {
  readonly input: Tensor;
  readonly depth: Tensor;
  readonly label: Tensor;
  /** Class weights, N / (C n_c). */
  readonly weight: Tensor;
}

export interface Stage {
  readonly epochs: number;
  readonly optimizers: readonly Optimizer[];
  /** Trains the classifier, so that its epochs take part in the choice of the best one. */
  readonly classifies: boolean;
  readonly predictsDepth: boolean;
  /** One update of the weights. Returns the loss before it. */
  step(batch: Batch): Tensor;
}

const parametersOf = (modules: readonly nn.Module[]): Parameter[] => modules.flatMap((module) => module.parameters());

function makeOptimizer(parameters: readonly Parameter[], settings: TrainingSettings): Optimizer {
  const { learningRate: lr, momentum, weightDecay } = settings;
  return settings.optimizer === 'sgd'
    ? new SGD(parameters, { lr, momentum, weightDecay })
    : new RMSprop(parameters, { lr, momentum, weightDecay });
}

function stagesWith(model: UNet, settings: TrainingSettings): Record<Strategy, () => Stage[]> {
  const { encoder, decoder, classifier } = model.parts();
  const { epochs, lambda } = settings;
  const optimizer = (...parts: (readonly nn.Module[])[]): Optimizer =>
    makeOptimizer(parametersOf(parts.flat()), settings);
  const depthLoss = settings.depthLoss === 'mse' ? mseLoss : l1Loss;
  const classError = (logits: Tensor, { label, weight }: Batch): Tensor => crossEntropy(logits, label, { weight });
  const depthError = (depth: Tensor, batch: Batch): Tensor => mul(depthLoss(depth, batch.depth), lambda);
  const minimize = (loss: Tensor, by: Optimizer): Tensor => {
    model.zeroGrad();
    loss.backward();
    by.step();
    return loss;
  };
  /** A step along given gradients, for an optimizer that shares parameters with another one. */
  const stepAlong = (by: Optimizer, gradients: readonly Tensor[]): void => {
    model.zeroGrad();
    by.parameters.forEach((parameter, i) => (parameter.grad = gradients[i]!.alias()));
    by.step();
  };

  const classStage = (length = epochs): Stage => {
    const all = optimizer(encoder, classifier);
    return {
      epochs: length,
      optimizers: [all],
      classifies: true,
      predictsDepth: false,
      step: (batch) => minimize(classError(model.classify(model.encode(batch.input)), batch), all),
    };
  };
  const depthStage = (length = epochs): Stage => {
    const all = optimizer(encoder, decoder);
    return {
      epochs: length,
      optimizers: [all],
      classifies: false,
      predictsDepth: true,
      step: (batch) => minimize(depthError(model.decode(model.encode(batch.input)), batch), all),
    };
  };
  const half = Math.ceil(epochs / 2);

  return {
    singleTask: () => [classStage()],
    sequential: () => [depthStage(), { ...classStage(), predictsDepth: true }],
    sequentialHalf: () => [depthStage(half), { ...classStage(half), predictsDepth: true }],
    multipleOptimizers: () => {
      const byClass = optimizer(encoder, classifier);
      const byDepth = optimizer(encoder, decoder);
      const two = (batch: Batch): Tensor => {
        const first = minimize(classError(model.classify(model.encode(batch.input)), batch), byClass);
        return add(first, minimize(depthError(model.decode(model.encode(batch.input)), batch), byDepth));
      };
      const shared = (batch: Batch): Tensor => {
        const { depth, logits } = model.forward(batch.input);
        const losses = [classError(logits, batch), depthError(depth, batch)] as const;
        const alongClass = grad(losses[0], byClass.parameters, { retainGraph: true });
        const alongDepth = grad(losses[1], byDepth.parameters);
        stepAlong(byClass, alongClass);
        stepAlong(byDepth, alongDepth);
        return add(...losses);
      };
      const step = settings.multiOpt === 'twoForwards' ? two : shared;
      return [{ epochs, optimizers: [byClass, byDepth], classifies: true, predictsDepth: true, step }];
    },
    multitaskLoss: () => {
      const all = optimizer(encoder, decoder, classifier);
      const step = (batch: Batch): Tensor => {
        const { depth, logits } = model.forward(batch.input);
        return minimize(add(classError(logits, batch), depthError(depth, batch)), all);
      };
      return [{ epochs, optimizers: [all], classifies: true, predictsDepth: true, step }];
    },
  };
}

/** The stages of a strategy, with fresh optimizers. */
export const stagesOf = (model: UNet, settings: TrainingSettings): Stage[] =>
  stagesWith(model, settings)[settings.strategy]();
