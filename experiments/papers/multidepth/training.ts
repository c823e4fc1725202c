// One training run of MultiDepth: updates on random patches, validation on whole images at intervals, the best and the last
// of its scores. Everything random is keyed by (seed, purpose, number), and checkpoints fall on fixed iterations, so a killed
// run goes on as if it had not been killed.
import {
  add,
  DataError,
  manualSeed,
  noGrad,
  NonFiniteError,
  random,
  scope,
  type StateDict,
  type Tensor,
} from '../../../engine/index.ts';
import { Prefetch } from '../../data/prefetch.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { type Evaluation, evaluate } from './evaluation.ts';
import type { Frames } from './frames.ts';
import { LogDepth } from './log-depth.ts';
import { samplePictures } from './panels.ts';
import { type HostBatch, Samples } from './samples.ts';
import type { TrainingSettings } from './settings.ts';
import { Trainer } from './step.ts';

/** What a run reads and writes beside its result. */
export type Surroundings = Pick<RunContext, 'seed' | 'resume' | 'save' | 'keep' | 'progress'>;

export interface Cohorts {
  readonly train: Frames;
  readonly validation: Frames;
}

/** Where a run stands. */
interface Position {
  iteration: number;
  /** Sums of the losses since the last validation. */
  sums: Record<string, number>;
  summed: number;
  cropsWithoutDepth: number;
  withoutDepth: number;
  /** The best score so far and the iterations done then. */
  best: { score: number; iteration: number } | null;
  curves: Record<string, number[]>;
}

/** Batches made ahead of their use. */
const AHEAD = 3;

/** Validation images shown in reports. */
const SHOWN = 3;

export const spaceOf = ({ bounds, classPlanes }: TrainingSettings): LogDepth =>
  new LogDepth({ bounds, classPlanes: classPlanes ?? undefined });

class Run {
  readonly #context: Surroundings;
  readonly #settings: TrainingSettings;
  readonly #cohorts: Cohorts;
  readonly #samples: Samples;
  readonly #space: LogDepth;
  readonly #trainer: Trainer;
  #position: Position = {
    iteration: 0,
    sums: {},
    summed: 0,
    cropsWithoutDepth: 0,
    withoutDepth: 0,
    best: null,
    curves: {},
  };
  #best: StateDict = new Map();

  constructor(context: Surroundings, settings: TrainingSettings, cohorts: Cohorts) {
    this.#context = context;
    this.#settings = settings;
    this.#cohorts = cohorts;
    this.#samples = new Samples(cohorts.train, settings, context.seed);
    this.#space = spaceOf(settings);
    manualSeed(context.seed);
    this.#trainer = new Trainer(settings);
  }

  #pause = (): Promise<void> => this.#context.progress(this.#position.iteration, this.#settings.iterations);

  async train(): Promise<RunResult> {
    const { iterations, validateEvery, checkpointEvery } = this.#settings;
    try {
      await this.#resume();
      const first = this.#position.iteration;
      const queue = new Prefetch((k) => this.#samples.batch(k), { first, end: iterations, ahead: AHEAD });
      let sums = new Map<string, Tensor>();
      using _run = scope();
      while (this.#position.iteration < iterations) {
        sums = this.#step((await queue.next())!, sums);
        const done = ++this.#position.iteration;
        const validates = done % validateEvery === 0 || done === iterations;
        // Sums are read at fixed iterations, so that a resumed run adds in the same order.
        if (validates || done % checkpointEvery === 0) sums = await this.#collect(sums);
        if (validates) await this.#validate();
        if (done % checkpointEvery === 0 && done < iterations) await this.#save();
        await this.#pause();
      }
      return await this.#finish(queue.stalls);
    } finally {
      this.#trainer.dispose();
    }
  }

  /** One update. Returns the sums of the losses with its own added, on the device. */
  #step(batch: HostBatch, sums: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    using step = scope();
    const { iteration: k } = this.#position;
    const losses = this.#trainer.step(batch, k, random(this.#context.seed, 'multidepth dropout', k));
    this.#position.cropsWithoutDepth += batch.withoutDepth;
    this.#position.summed++;
    const added = new Map<string, Tensor>();
    for (const [name, loss] of Object.entries(losses) as [string, Tensor][]) {
      const before = sums.get(name);
      added.set(name, step.keep(noGrad(() => (before ? add(before, loss) : add(loss, 0)))));
      before?.dispose();
    }
    return added;
  }

  /** Moves the sums to the host. Throws NonFiniteError when the loss has diverged. */
  async #collect(sums: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
    for (const [name, sum] of sums) {
      const value = await sum.item();
      sum.dispose();
      if (!Number.isFinite(value)) {
        throw new NonFiniteError(`the ${name} loss is ${value} by iteration ${this.#position.iteration}`, {
          hint: 'The learning rate is too high for this network; see the range test (figure 4)',
        });
      }
      this.#position.sums[name] = (this.#position.sums[name] ?? 0) + value;
    }
    return new Map();
  }

  async #validate(): Promise<void> {
    const { validation } = this.#cohorts;
    const { patch } = this.#settings;
    const { iteration, sums, summed } = this.#position;
    const options = { space: this.#space, patch, pause: this.#pause };
    const result: Evaluation = await evaluate(this.#trainer.model, validation, options);
    this.#position.withoutDepth = result.withoutDepth;
    const record = (values: Record<string, number | undefined>): void => {
      for (const [curve, value] of Object.entries(values)) {
        if (value !== undefined) (this.#position.curves[curve] ??= []).push(value);
      }
    };
    record({
      iteration,
      learningRate: this.#trainer.rateAt(iteration - 1),
      ...Object.fromEntries(Object.entries(sums).map(([name, sum]) => [`${name}Loss`, sum / summed])),
      ...(await this.#trainer.scalars()),
      regression: result.full.regression,
      classification: result.full.classification,
      patchRegression: result.patch.regression,
      patchClassification: result.patch.classification,
    });
    this.#position.sums = {};
    this.#position.summed = 0;
    const score = result.full.regression ?? result.full.classification;
    if (score === undefined) {
      throw new DataError('no validation image has a measured pixel', { given: `${validation.count} images` });
    }
    if (!this.#position.best || score < this.#position.best.score) {
      this.#position.best = { score, iteration };
      this.#best = await this.#trainer.model.stateDict();
    }
  }

  async #finish(stalls: number): Promise<RunResult> {
    const { curves, best, cropsWithoutDepth, withoutDepth } = this.#position;
    await this.#context.keep('network', this.#best, networkMetadata(this.#settings));
    this.#trainer.model.loadStateDict(this.#best);
    const metrics: Record<string, number> = { cropsWithoutDepth, withoutDepth, bestIteration: best!.iteration };
    for (const name of ['regression', 'classification', 'patchRegression', 'patchClassification']) {
      const curve = curves[name];
      if (!curve) continue;
      metrics[name] = Math.min(...curve);
      metrics[`${name}Last`] = curve.at(-1)!;
    }
    for (const name of ['sReg', 'sCls', 'regressionLoss', 'classificationLoss', 'combinedLoss']) {
      const last = curves[name]?.at(-1);
      if (last !== undefined) metrics[`${name}Last`] = last;
    }
    const pictures = await samplePictures(this.#trainer.model, this.#cohorts.validation, this.#space, SHOWN);
    return { metrics, curves, pictures, diagnostics: { stalls } };
  }

  async #save(): Promise<void> {
    const states = { ...(await this.#trainer.states()), best: this.#best };
    await this.#context.save({ states, position: this.#position });
  }

  /** Goes back to the last checkpoint, if there is one. */
  async #resume(): Promise<void> {
    const checkpoint = await this.#context.resume();
    if (!checkpoint) return;
    const { best, ...states } = checkpoint.states;
    this.#position = checkpoint.position as Position;
    this.#best = best ?? new Map();
    this.#trainer.load(states);
  }
}

/** What `wgrad predict` must know beside the weights. */
export const networkMetadata = ({ bounds, classPlanes }: TrainingSettings): Record<string, string> => ({
  bounds: JSON.stringify(bounds),
  classPlanes: JSON.stringify(classPlanes),
});

/** Trains and validates one network. Throws NonFiniteError when the loss diverges, DataError where a file is damaged. */
export const trainNetwork = (context: Surroundings, settings: TrainingSettings, cohorts: Cohorts): Promise<RunResult> =>
  new Run(context, settings, cohorts).train();
