// The losses of MultiDepth: sparse squared error of normalised log depth, sparse cross-entropy of its intervals, and their
// sum under learned or constant weights (section 2.4 of the paper).
import {
  concat,
  maskedCrossEntropy,
  maskedMse,
  ne,
  nn,
  noGrad,
  parameter,
  type Parameter,
  stack,
  type Tensor,
  uncertaintyWeighting,
} from '../../../engine/index.ts';
import { IGNORED } from './log-depth.ts';

const differsFrom = (values: Tensor, missing: number): Tensor => noGrad(() => ne(values, missing));

/** Mean of (prediction - target)^2 over all pixels of the batch whose target is not 0; 0 if there are none. */
export const sparseMse = (prediction: Tensor, target: Tensor): Tensor =>
  maskedMse(prediction, target, differsFrom(target, 0));

/**
 * Mean cross-entropy of scores (N, C, H, W) over all pixels of the batch with a class (labels int32, (N, H, W), IGNORED
 * where there is none); 0 if there are none.
 */
export const sparseCrossEntropy = (logits: Tensor, labels: Tensor): Tensor =>
  maskedCrossEntropy(logits, labels, differsFrom(labels, IGNORED));

/**
 * How a learned s makes a weight. `exp(-s)` is what the released code does, Kendall et al.'s 1 / sigma^2 for s = ln sigma^2.
 * `exp(-s^2)` is what the paper prints: a loss without a lower bound, kept as a negative control.
 */
export type WeightForm = 'exp(-s)' | 'exp(-s^2)';

/** The learned scalars by their names in the released code: L = 0.5 e(s_reg) L_reg + e(s_cls) L_cls + 0.5 (s_reg + s_cls). */
export class UncertaintyWeights extends nn.Module {
  readonly s_reg: Parameter;
  readonly s_cls: Parameter;
  readonly #form: WeightForm;

  /** Both scalars begin at `start`: from 1 the weights begin at 0.184 and 0.368. */
  constructor(form: WeightForm = 'exp(-s)', start = 1) {
    super();
    this.#form = form;
    this.s_reg = parameter([start], [1]);
    this.s_cls = parameter([start], [1]);
  }

  forward(regression: Tensor, classification: Tensor): Tensor {
    const losses = stack([regression, classification]);
    const scalars = concat([this.s_reg, this.s_cls]);
    return uncertaintyWeighting(losses, scalars, ['regression', 'classification'], this.#form).total;
  }
}

/** Where the learned scalars come to rest for given losses: each weighted loss is then 0.5. */
export const restingScalars = (regression: number, classification: number): { reg: number; cls: number } => ({
  reg: Math.log(regression),
  cls: Math.log(2 * classification),
});
