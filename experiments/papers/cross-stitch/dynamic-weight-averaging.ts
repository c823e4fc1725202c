// Dynamic weight averaging (Liu et al. 2019), as the paper prints it and as its authors ran it (section 4.3):
//   r_k = L_k(t-1) / L_k(t-2),   w_k = K p_k exp(r_k / T) / sum_i p_i exp(r_i / T)
// Equation: t counts epochs, L is the epoch's mean, all p are 1. Authors: t counts the iterations of one epoch, and the first
// two of each epoch have the weights p. Weights are constants for the gradient.

export interface WeightAveragingOptions {
  /** p_k, one for each task. */
  readonly priors: readonly number[];
  /** T. */
  readonly temperature: number;
}

/** Losses are divided by this at the least, so that a task learnt to the last bit makes no NaN. */
const SMALLEST_LOSS = 1e-8;

/** Weights from the last two losses of each task. They sum to the number of tasks. */
export function averagedWeights(
  last: readonly number[],
  beforeLast: readonly number[],
  { priors, temperature }: WeightAveragingOptions,
): number[] {
  const ratios = last.map((loss, k) => loss / Math.max(beforeLast[k]!, SMALLEST_LOSS) / temperature);
  const largest = Math.max(...ratios);
  const shares = ratios.map((ratio, k) => priors[k]! * Math.exp(ratio - largest));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => (shares.length * share) / total);
}

/** Weights that follow the losses of a training run. */
export interface TaskWeighting {
  /** Weights of the coming iteration. */
  weights(): readonly number[];
  /** The losses of an iteration, before the weights. */
  observe(losses: readonly number[]): void;
  endEpoch(): void;
  /** What has to be kept between two epochs. */
  history: readonly (readonly number[])[];
}

/** As the authors' scripts: by iteration, with priors, anew in each epoch. */
export class WeightsByIteration implements TaskWeighting {
  readonly #options: WeightAveragingOptions;
  history: readonly (readonly number[])[] = [];

  constructor(options: WeightAveragingOptions) {
    this.#options = options;
  }

  weights(): readonly number[] {
    const [beforeLast, last] = this.history;
    return beforeLast && last ? averagedWeights(last, beforeLast, this.#options) : this.#options.priors;
  }

  observe(losses: readonly number[]): void {
    this.history = [...this.history, losses].slice(-2);
  }

  endEpoch(): void {
    this.history = [];
  }
}

/** As the paper's equation: by epoch, without priors. */
export class WeightsByEpoch implements TaskWeighting {
  readonly #temperature: number;
  readonly #ones: readonly number[];
  #sums: number[];
  #iterations = 0;
  history: readonly (readonly number[])[] = [];

  constructor(tasks: number, temperature: number) {
    this.#temperature = temperature;
    this.#ones = new Array<number>(tasks).fill(1);
    this.#sums = new Array<number>(tasks).fill(0);
  }

  weights(): readonly number[] {
    const [beforeLast, last] = this.history;
    if (!beforeLast || !last) return this.#ones;
    return averagedWeights(last, beforeLast, { priors: this.#ones, temperature: this.#temperature });
  }

  observe(losses: readonly number[]): void {
    this.#sums = this.#sums.map((sum, k) => sum + losses[k]!);
    this.#iterations++;
  }

  endEpoch(): void {
    const means = this.#sums.map((sum) => sum / Math.max(1, this.#iterations));
    this.history = [...this.history, means].slice(-2);
    this.#sums = this.#sums.map(() => 0);
    this.#iterations = 0;
  }
}
