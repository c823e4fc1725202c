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
  RMSprop,
  SGD,
  type Tensor,
} from '../../../engine/index.ts';
import type { UNet } from '../../../models/index.ts';
import { shareOf } from '../../parallel/parts.ts';
import type { Strategy, TrainingSettings } from './settings.ts';

export interface Batch {
  readonly input: Tensor;
  readonly depth: Tensor;
  readonly label: Tensor;
  /** Multiplies the prediction of depth where not all of it was measured; `depth` is multiplied by it already. */
  readonly measured?: Tensor;
  /** Class weights, N / (C n_c). */
  readonly weight: Tensor;
  /** Of a batch in parts: what share of its images this is, and of the class weights of their labels. */
  readonly share: number;
  readonly weightShare: number;
}

/** A batch that may be in parts: has `pass` make the loss of each, and their gradients; returns the loss of all. */
export type Over = (pass: (batch: Batch) => Tensor) => Promise<Tensor>;

export interface Stage {
  readonly epochs: number;
  readonly optimizers: readonly Optimizer[];
  /** Trains the classifier, so that its epochs take part in the choice of the best one. */
  readonly classifies: boolean;
  readonly predictsDepth: boolean;
  /** One update of the weights. Returns the loss before it. */
  step(over: Over): Promise<Tensor>;
}

/** The settings that stages are made of. */
export type StageSettings = Pick<
  TrainingSettings,
  | 'strategy'
  | 'epochs'
  | 'lambda'
  | 'learningRate'
  | 'momentum'
  | 'weightDecay'
  | 'optimizer'
  | 'depthLoss'
  | 'multiOpt'
>;

function stagesWith(model: UNet, settings: StageSettings): Record<Strategy, () => Stage[]> {
  const { encoder, decoder, classifier } = model.parts();
  const { epochs, lambda, learningRate: lr, momentum, weightDecay } = settings;
  const Optimizer = settings.optimizer === 'sgd' ? SGD : RMSprop;
  const optimizerOf = (...parts: (readonly nn.Module[])[]): Optimizer =>
    new Optimizer(
      parts.flat().flatMap((module) => module.parameters()),
      { lr, momentum, weightDecay },
    );

  const depthError = settings.depthLoss === 'mse' ? mseLoss : l1Loss;
  const classOf = (logits: Tensor, { label, weight, weightShare }: Batch): Tensor =>
    shareOf(crossEntropy(logits, label, { weight }), weightShare);
  const depthOf = (depth: Tensor, { depth: truth, measured, share }: Batch): Tensor =>
    shareOf(mul(depthError(measured ? mul(depth, measured) : depth, truth), lambda), share);
  /** The losses, each from a forward pass of its own, or both from one. */
  const classLoss = (batch: Batch): Tensor => classOf(model.classify(model.encode(batch.input)), batch);
  const depthLoss = (batch: Batch): Tensor => depthOf(model.decode(model.encode(batch.input)), batch);
  const bothLosses = (batch: Batch) => {
    const { depth, logits } = model.forward(batch.input);
    return [classOf(logits, batch), depthOf(depth, batch)] as const;
  };

  const minimize = async (over: Over, lossOf: (batch: Batch) => Tensor, by: Optimizer): Promise<Tensor> => {
    const loss = await over((batch) => {
      const loss = lossOf(batch);
      model.zeroGrad();
      loss.backward();
      return loss;
    });
    by.step();
    return loss;
  };
  /** A step along given gradients, for an optimizer that shares parameters with another one. */
  const stepAlong = (by: Optimizer, gradients: readonly Tensor[]): void => {
    model.zeroGrad();
    by.parameters.forEach((parameter, i) => (parameter.grad = gradients[i]!.alias()));
    by.step();
  };

  const stage = (by: Optimizer, lossOf: (batch: Batch) => Tensor, rest: Omit<Stage, 'optimizers' | 'step'>): Stage => ({
    ...rest,
    optimizers: [by],
    step: (over) => minimize(over, lossOf, by),
  });
  const classStage = (length = epochs): Stage =>
    stage(optimizerOf(encoder, classifier), classLoss, { epochs: length, classifies: true, predictsDepth: false });
  const depthStage = (length = epochs): Stage =>
    stage(optimizerOf(encoder, decoder), depthLoss, { epochs: length, classifies: false, predictsDepth: true });
  const inSequence = (length = epochs): Stage[] => [depthStage(length), { ...classStage(length), predictsDepth: true }];
  const both = { epochs, classifies: true, predictsDepth: true } as const;

  return {
    singleTask: () => [classStage()],
    sequential: () => inSequence(),
    sequentialHalf: () => inSequence(Math.ceil(epochs / 2)),
    multipleOptimizers: () => {
      const byClass = optimizerOf(encoder, classifier);
      const byDepth = optimizerOf(encoder, decoder);
      const two = async (over: Over): Promise<Tensor> => {
        const first = await minimize(over, classLoss, byClass);
        return add(first, await minimize(over, depthLoss, byDepth));
      };
      // Two gradients of each parameter, which are not those of one sum: batches in parts are refused (see `parts` of the paper).
      const shared = (over: Over): Promise<Tensor> =>
        over((batch) => {
          const losses = bothLosses(batch);
          const alongClass = grad(losses[0], byClass.parameters, { retainGraph: true });
          const alongDepth = grad(losses[1], byDepth.parameters);
          stepAlong(byClass, alongClass);
          stepAlong(byDepth, alongDepth);
          return add(...losses);
        });
      const step = settings.multiOpt === 'twoForwards' ? two : shared;
      return [{ ...both, optimizers: [byClass, byDepth], step }];
    },
    multitaskLoss: () => [stage(optimizerOf(encoder, decoder, classifier), (batch) => add(...bothLosses(batch)), both)],
  };
}

/** The stages of a strategy, with fresh optimizers. */
export const stagesOf = (model: UNet, settings: StageSettings): Stage[] =>
  stagesWith(model, settings)[settings.strategy]();
