// One training run of DenseDepth: the pre-training of its backbone where there is one, the training of decoder and heads on kept
// features, fine-tuning where asked for; validation after each epoch, the weights of the best validation loss tested once.
import { Adam, applySchedule, lambdaLR, random, type Schedule } from '../../../engine/index.ts';
import { DenseDepth } from '../../../models/index.ts';
import type { LoadedScenes } from '../../data/object-scenes.ts';
import { type GivenWeights, readGivenWeights, weightsFor } from '../../runner/given-weights.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { type Phase, train, type Trained, type Validation } from '../../runner/training.ts';
import {
  evaluate,
  featureSpread,
  panels,
  picturesOf,
  type Prediction,
  predictions,
  Scores,
  targetsOf,
} from './evaluation.ts';
import { Features } from './features.ts';
import { taskLosses } from './losses.ts';
import { SceneNetwork } from './network.ts';
import { BackbonePretraining, type PretrainingBatch } from './pretraining.ts';
import { type HostBatch, type Place, type Pool, poolOf, Samples } from './samples.ts';
import type { TrainingSettings } from './settings.ts';

/** Batches made ahead of their use. */
const AHEAD = 2;
/** Test pictures shown in reports: two of each class. */
const SHOWN = 6;
/** Pictures over which the spread of features is taken. */
const SPREAD_OVER = 60;

type Metrics = Record<string, number>;

const named = (cohort: string, metrics: Readonly<Metrics>): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${cohort} ${name}`, value]));

const decaying = (rate: number, decay: TrainingSettings['decay']): Schedule =>
  lambdaLR(rate, (k) => (decay ? decay.factor ** Math.floor(k / decay.every) : 1));

/** Adam as Keras has it, with the paper's options. */
const adam = { eps: 1e-7, amsgrad: true, epsilonHat: true };

/** What `wgrad predict` must know beside the weights. */
const metadataOf = ({ network, scaling, filters, lastFilters, width, height }: TrainingSettings) => ({
  densedepth: JSON.stringify({ network, scaling, filters, lastFilters, width, height }),
});

/** A stretch of the training with one optimizer, on kept features or on pictures. */
interface Stretch {
  readonly epochs: number;
  /** Epochs before it. */
  readonly first: number;
  readonly optimizer: Adam;
  readonly schedule: Schedule;
}

class DenseDepthRun {
  readonly #context: RunContext;
  readonly #settings: TrainingSettings;
  readonly #cohorts: LoadedScenes['cohorts'];
  readonly #pool: Pool;
  readonly #samples: Samples;
  readonly #network: SceneNetwork;
  /** Where the weights of the backbone come from. */
  readonly #weights: GivenWeights | undefined;
  readonly #pretraining: BackbonePretraining | undefined;
  readonly #tests: readonly Place[];
  readonly #notes = { early: [] as Prediction[] };
  #features: Features | undefined;

  constructor(context: RunContext, settings: TrainingSettings, cohorts: LoadedScenes['cohorts']) {
    this.#context = context;
    this.#settings = settings;
    this.#cohorts = cohorts;
    this.#pool = poolOf(cohorts, settings);
    this.#samples = new Samples(this.#pool, settings, context.seed);
    this.#network = new SceneNetwork(settings, context.seed);
    this.#tests = Array.from({ length: cohorts.test.count }, (_, scene) => ({ scene, variant: 0 }));
    const { network, pretraining } = settings;
    if (network === 'toy') return;
    this.#weights = weightsFor(settings.weights, network, context.run);
    if (pretraining && !this.#weights) {
      this.#pretraining = new BackbonePretraining({ ...settings, network, pretraining }, context);
    }
  }

  get #module() {
    return this.#network.module;
  }

  /** A number of a run that may diverge, as one that can be shown. */
  #shown(value: number): number {
    const { ceiling } = this.#settings;
    return ceiling !== null && !(value < ceiling) ? ceiling : value;
  }

  #capped(cohort: string, metrics: Readonly<Metrics>): Metrics {
    const entries = Object.entries(named(cohort, metrics));
    return Object.fromEntries(entries.map(([name, value]) => [name, this.#shown(value)]));
  }

  #phase({ epochs, first, optimizer, schedule }: Stretch): Phase<HostBatch> {
    const { lossWeights: weights, range, ceiling, maskInvalid } = this.#settings;
    const perEpoch = this.#samples.epochs.length;
    const at = (k: number): number => first * perEpoch + k;
    let scores = new Scores();
    return {
      steps: epochs * perEpoch,
      validateEvery: perEpoch,
      optimizers: [optimizer],
      ahead: AHEAD,
      mayDiverge: ceiling !== null,
      ...(this.#pool.validation.length > 0 ? { keepBest: 'model' } : {}),
      batch: (k) => this.#samples.batch(at(k)),
      step: async (batch, k) => {
        const stream = random(this.#context.seed, 'densedepth dropout', at(k));
        const outputs = this.#features
          ? this.#network.heads(await this.#features.of(batch.places), stream)
          : this.#network.forward(picturesOf(batch), stream);
        const target = targetsOf(batch, maskInvalid);
        const losses = taskLosses(outputs, target, { weights, range });
        optimizer.zeroGrad();
        losses.loss.backward();
        applySchedule(optimizer, schedule, k);
        optimizer.step();
        const { loss } = await scores.add(batch, { losses, outputs }, target, range);
        return { 'training loss': this.#shown(loss) };
      },
      validate: async (done, pause) => {
        const trained = this.#capped('train', scores.metrics());
        scores = new Scores();
        await this.#snapshot(first + done / perEpoch);
        if (this.#pool.validation.length === 0) return { curves: trained };
        const { scenes, validation } = this.#pool;
        const found = this.#capped(
          'validation',
          await evaluate(this.#network, scenes, validation, this.#settings, pause),
        );
        return { curves: { ...trained, ...found }, score: -found['validation loss']! } satisfies Validation;
      },
    };
  }

  /** Keeps weights and predictions of the middle of the training. */
  async #snapshot(epoch: number): Promise<void> {
    if (epoch !== this.#settings.snapshotEpoch) return;
    this.#notes.early = await predictions(this.#network, this.#cohorts.test, this.#tests.slice(0, SHOWN));
    await this.#context.keep(`epoch${epoch}`, await this.#module.stateDict(), metadataOf(this.#settings));
  }

  /** Decoder and heads on what the frozen backbone sees. */
  #decoderPhase(): Phase<HostBatch> {
    const { epochs, learningRate, decay } = this.#settings;
    const optimizer = new Adam(this.#network.freeze(), { ...adam, lr: learningRate });
    return {
      ...this.#phase({ epochs, first: 0, optimizer, schedule: decaying(learningRate, decay) }),
      begin: async () => {
        if (!(this.#module instanceof DenseDepth)) return;
        const [given, made] = [this.#weights, this.#pretraining];
        const state = given ? await readGivenWeights(given) : ((await made?.kept()) ?? (await made?.finish()));
        if (state) this.#module.backbone.loadStateDict(state, { source: given?.file ?? 'the pre-trained backbone' });
      },
      prepare: async () => {
        this.#network.freeze();
        this.#features = await Features.make(this.#network, this.#pool, this.#settings, {
          folder: this.#context.cache,
        });
      },
    };
  }

  /** The upper layers of the backbone too, from the best weights on. */
  #fineTuningPhase({ epochs, learningRate, decay }: NonNullable<TrainingSettings['fineTuning']>): Phase<HostBatch> {
    const optimizer = new Adam(this.#network.fineTune(), { ...adam, lr: learningRate });
    const first = this.#settings.epochs;
    return {
      ...this.#phase({ epochs, first, optimizer, schedule: decaying(learningRate, decay) }),
      begin: ({ best }) => {
        if (best.model) this.#module.loadStateDict(best.model.weights);
      },
      prepare: async () => {
        await this.#features?.close();
        this.#features = undefined;
        this.#network.fineTune();
      },
    };
  }

  async train(): Promise<RunResult> {
    const { fineTuning } = this.#settings;
    const before = this.#pretraining;
    const isKnown = (await before?.kept()) !== undefined;
    const phases: Phase<HostBatch | PretrainingBatch>[] = [
      ...(before ? [before.phase(isKnown)] : []),
      this.#decoderPhase(),
      ...(fineTuning ? [this.#fineTuningPhase(fineTuning)] : []),
    ];
    try {
      return await train<HostBatch | PretrainingBatch, RunResult>(this.#context, {
        modules: { model: this.#module, ...(before ? { pretraining: before.module } : {}) },
        notes: this.#notes,
        phases,
        finish: async (trained, pause) => this.#finish(trained, pause),
      });
    } finally {
      await this.#features?.close();
    }
  }

  async #finish({ curves, best, stalls }: Trained, pause: () => Promise<void>): Promise<RunResult> {
    const settings = this.#settings;
    const [network, pool, { test }] = [this.#network, this.#pool, this.#cohorts];
    const shown = this.#tests.slice(0, SHOWN);
    const last = await predictions(network, test, shown);
    await this.#context.keep('last', await this.#module.stateDict(), metadataOf(settings));
    if (best.model) {
      this.#module.loadStateDict(best.model.weights);
      await this.#context.keep('best', best.model.weights, metadataOf(settings));
    }
    const { 'training loss': _, ...kept } = curves;
    const metrics = this.#curveMetrics(kept);
    Object.assign(
      metrics,
      this.#capped('inference', await evaluate(network, pool.scenes, pool.train, settings, pause)),
      this.#capped('test', await evaluate(network, test, this.#tests, settings, pause)),
    );
    if (network.widths) metrics.featureSpread = await featureSpread(network, test, this.#tests.slice(0, SPREAD_OVER));
    const total = settings.epochs + (settings.fineTuning?.epochs ?? 0);
    const captions = {
      ...(this.#notes.early.length > 0 ? { [`after ${settings.snapshotEpoch} epochs`]: this.#notes.early } : {}),
      [`after ${total} epochs`]: last,
    };
    const pictures = settings.ceiling === null ? await panels(test, shown, captions) : [];
    return { metrics, curves: kept, pictures, diagnostics: { stalls } };
  }

  /** What is read from the curves: at the best epoch, at the first, at the last, and before fine-tuning. */
  #curveMetrics(curves: Trained['curves']): Metrics {
    const { epochs, fineTuning } = this.#settings;
    const training = curves['train loss']!;
    // The first of equals, as the loop keeps it.
    const losses = curves['validation loss'];
    const at = losses ? losses.indexOf(Math.min(...losses)) : training.length - 1;
    const metrics: Metrics = { bestEpoch: at + 1, fell: Number(training.at(-1)! < training[0]!) };
    for (const [name, values] of Object.entries(curves)) {
      metrics[name] = values[at]!;
      metrics[`first ${name}`] = values[0]!;
      metrics[`last ${name}`] = values.at(-1)!;
      if (!fineTuning) continue;
      metrics[`before ${name}`] = values[epochs - 1]!;
      metrics[`fine-tuned ${name}`] = values[epochs]!;
    }
    return metrics;
  }
}

/** Trains and tests one run. Rejects with DataError where a file is damaged. */
export const trainDenseDepth = (
  context: RunContext,
  settings: TrainingSettings,
  { cohorts }: Pick<LoadedScenes, 'cohorts'>,
): Promise<RunResult> => new DenseDepthRun(context, settings, cohorts).train();
