// The losses of MultiDepth: sparse squared error of normalised log depth, sparse cross-entropy of its intervals, and their
// sum under learned or constant weights (section 2.4 of the paper).
import {
  add,
  crossEntropy,
  div,
  exp,
  maskedMse,
  maximum,
  mul,
  ne,
  neg,
  nn,
  noGrad,
  parameter,
  type Parameter,
  reshape,
  square,
  sum,
  type Tensor,
} from '../../../engine/index.ts';
import { IGNORED } from './log-depth.ts';

/** Mean of (prediction - target)^2 over all pixels of the batch whose target is not 0; 0 if there are none. */
export const sparseMse = (prediction: Tensor, target: Tensor): Tensor =>
  maskedMse(
    prediction,
    target,
    noGrad(() => ne(target, 0)),
  );

/**
 * Mean cross-entropy of scores (N, C, H, W) over all pixels of the batch with a class (labels int32, (N, H, W), IGNORED
 * where there is none); 0 if there are none.
 */
export function sparseCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const total = crossEntropy(logits, labels, { ignoreIndex: IGNORED, reduction: 'sum' });
  const counted = noGrad(() => maximum(sum(ne(labels, IGNORED).cast('float32')), 1));
  return div(total, counted);
}

/**
 * How a learned s makes a weight. `exp(-s)` is what the released code does, Kendall et al.'s 1 / sigma^2 for s = ln sigma^2.
 * `exp(-s^2)` is what the paper prints: a loss without a lower bound, kept as a negative control.
 */
export type WeightForm = 'exp(-s)' | 'exp(-s^2)';

const exponents: Readonly<Record<WeightForm, (s: Tensor) => Tensor>> = {
  'exp(-s)': neg,
  'exp(-s^2)': (s) => neg(square(s)),
};

/** Both scalars start here, so that the weights start at 0.184 and 0.368. */
const START = 1;

/** L = 0.5 e(s_reg) L_reg + 0.5 s_reg + e(s_cls) L_cls + 0.5 s_cls with e of `form`. */
export class UncertaintyWeights extends nn.Module {
  readonly s_reg: Parameter = parameter([START], [1]);
  readonly s_cls: Parameter = parameter([START], [1]);
  readonly #form: WeightForm;

  constructor(form: WeightForm = 'exp(-s)') {
    super();
    this.#form = form;
  }

  forward(regression: Tensor, classification: Tensor): Tensor {
    const term = (s: Parameter, factor: number, loss: Tensor): Tensor => {
      const scalar = reshape(s, []);
      return add(mul(mul(exp(exponents[this.#form](scalar)), factor), loss), mul(scalar, 0.5));
    };
    return add(term(this.s_reg, 0.5, regression), term(this.s_cls, 1, classification));
  }
}

/** Where the learned scalars come to rest for given losses: each weighted loss is then 0.5. */
export const restingScalars = (regression: number, classification: number): { reg: number; cls: number } => ({
  reg: Math.log(regression),
  cls: Math.log(2 * classification),
});
