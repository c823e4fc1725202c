// One training run: the phases of its network, validation after each epoch, the weights of the last epoch tested once. Everything
// random is keyed by (seed, purpose, step), and each epoch ends with a checkpoint, so a killed run goes on as if it had not been.
import {
  detectAnomaly,
  manualSeed,
  noGrad,
  NonFiniteError,
  random,
  region,
  scope,
  stack,
  type StateDict,
} from '../../../engine/index.ts';
import type { PetTask } from '../../../models/index.ts';
import { chunkedBatches, type PetCohort, type PetSamples, trainingBatch } from '../../data/pets.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { warpAsPaper } from './augmentation.ts';
import {
  evaluate,
  inputOf,
  type Normalization,
  picturePanel,
  scoresOf,
  targetsOf,
  withNormalization,
} from './evaluation.ts';
import { taskLosses, weightedSum } from './losses.ts';
import { MetricSums, type PetMetrics } from '../../metrics/segmentation.ts';
import { buildNetworks, type PetNetworks } from './networks.ts';
import { modulesOf, petChannels, type Phase, phasesOf, predict, stitchEntries } from './phases.ts';
import type { TrainingSettings } from './settings.ts';
import { lastTestBatch } from './test-batches.ts';

/** Where a run stands between two epochs. */
interface Position {
  phase: number;
  epoch: number;
  curves: Record<string, number[]>;
  /** Means over the last epoch that predicted it, the weights changing meanwhile. */
  trainMetrics: PetMetrics;
  /** Channels that spoke for the pet before training. */
  petChannels: number;
  /** Epoch means that the task weights look back to. */
  history: readonly (readonly number[])[];
}

/** Names of metrics: `test miou` with batch statistics, `test miou, running statistics`. */
export const metricName = (
  cohort: PetCohort,
  metric: keyof PetMetrics,
  normalization: Normalization = 'batch',
): string => `${cohort} ${metric}${normalization === 'running' ? ', running statistics' : ''}`;

const named = (
  cohort: PetCohort,
  metrics: PetMetrics,
  normalization: Normalization = 'batch',
): Record<string, number> =>
  Object.fromEntries(
    Object.entries(metrics).map(([metric, value]) => [
      metricName(cohort, metric as keyof PetMetrics, normalization),
      value as number,
    ]),
  );

class Run {
  readonly #context: RunContext;
  readonly #settings: TrainingSettings;
  readonly #samples: Readonly<Record<PetCohort, PetSamples>>;
  readonly #networks: PetNetworks;
  readonly #phases: Phase[];
  readonly #stepsPerEpoch: number;
  #position: Position = { phase: 0, epoch: 0, curves: {}, trainMetrics: {}, petChannels: 0, history: [] };
  #stepsDone = 0;

  constructor(context: RunContext, settings: TrainingSettings, samples: Readonly<Record<PetCohort, PetSamples>>) {
    this.#context = context;
    this.#settings = settings;
    this.#samples = samples;
    manualSeed(context.seed);
    this.#networks = buildNetworks(settings);
    this.#phases = phasesOf(this.#networks, settings);
    this.#stepsPerEpoch = this.#batches(0).length;
  }

  /** Chunks of the batches of one epoch. A set smaller than the preset's is gone through several times. */
  #batches(epoch: number): number[][] {
    const { count } = this.#samples.train;
    const passes = Math.max(1, Math.round(this.#settings.counts.train / count));
    return Array.from({ length: passes }, (_, pass) =>
      chunkedBatches(count, this.#settings, random(this.#context.seed, 'pets chunks', epoch * passes + pass)),
    ).flat();
  }

  #pause = (): Promise<void> => {
    const epochs = this.#phases.reduce((sum, phase) => sum + phase.epochs, 0);
    return this.#context.progress(this.#stepsDone, epochs * this.#stepsPerEpoch);
  };

  get #batchSize(): number {
    return this.#settings.chunk * this.#settings.chunksPerBatch;
  }

  /** Epochs of all phases before this one, for the names of shuffles. */
  #epochsDone(): number {
    const { phase, epoch } = this.#position;
    return this.#phases.slice(0, phase).reduce((sum, { epochs }) => sum + epochs, epoch);
  }

  async train(): Promise<RunResult> {
    let atCheckpoint = await this.#resume();
    if (!atCheckpoint) this.#position.petChannels = await petChannels(this.#networks);
    for (; this.#position.phase < this.#phases.length; this.#position.phase++, this.#position.epoch = 0) {
      const phase = this.#phases[this.#position.phase]!;
      if (!atCheckpoint) await this.#save(phase);
      atCheckpoint = false;
      while (this.#position.epoch < phase.epochs) {
        await this.#epoch(phase);
        this.#position.epoch++;
        await this.#save(phase);
      }
      this.#position.history = [];
    }
    const result = await this.#test();
    Object.values(modulesOf(this.#networks)).forEach((module) => module.dispose());
    for (const { optimizer } of this.#phases) optimizer.dispose();
    return result;
  }

  async #epoch(phase: Phase): Promise<void> {
    const epoch = this.#epochsDone();
    const sums = new MetricSums();
    const batches = this.#batches(epoch);
    const totals = { losses: phase.tasks.map(() => 0), weights: phase.tasks.map(() => 0) };
    phase.weighting.history = this.#position.history;
    for (const chunks of batches) {
      const { losses, weights } = await this.#step(phase, chunks, sums);
      phase.tasks.forEach((_, k) => {
        totals.losses[k]! += losses[k]! / batches.length;
        totals.weights[k]! += weights[k]! / batches.length;
      });
      this.#stepsDone++;
      await this.#pause();
    }
    phase.weighting.endEpoch();
    this.#position.history = phase.weighting.history;
    const trained = sums.metrics();
    this.#position.trainMetrics = { ...this.#position.trainMetrics, ...trained };
    const validation = await this.#evaluate('validation', 'batch', phase);
    const byTask = (what: string, values: readonly number[]): Record<string, number> =>
      Object.fromEntries(phase.tasks.map((task, k) => [`${what} ${task}`, values[k]!]));
    this.#record({
      ...byTask('loss', totals.losses),
      ...(phase.tasks.length > 1 ? byTask('weight', totals.weights) : {}),
      ...named('train', trained),
      ...named('validation', validation.metrics()),
      ...(phase.tasks.includes('segmentation') ? await stitchEntries(this.#networks) : {}),
    });
  }

  /** One update of the weights. Returns the losses before it and the task weights. */
  async #step(
    phase: Phase,
    chunks: readonly number[],
    sums: MetricSums,
  ): Promise<{ losses: readonly number[]; weights: readonly number[] }> {
    using _step = scope();
    const { seed } = this.#context;
    const step = this.#stepsDone;
    const batch = region('data', () => {
      const options = { seed, step, flip: this.#settings.flip };
      const drawn = trainingBatch(this.#samples.train, chunks, this.#settings, options);
      return phase.warps ? warpAsPaper(drawn, seed, step) : drawn;
    });
    const [x, targets] = [inputOf(batch), targetsOf(batch)];
    const outputs = phase.forward(x);
    const losses = taskLosses(outputs, targets, phase.tasks);
    const values = Array.from(await noGrad(() => stack(losses)).array());
    if (!values.every(Number.isFinite)) {
      const described = phase.tasks.map((task: PetTask, k) => `${task} ${values[k]}`).join(', ');
      throw await this.#diagnose(`step ${step + 1}: the losses are ${described}`, () =>
        taskLosses(phase.forward(x), targets, phase.tasks),
      );
    }
    const weights = phase.weighting.weights();
    phase.optimizer.zeroGrad();
    weightedSum(losses, phase.termWeights(values, weights))?.backward();
    phase.optimizer.step();
    phase.weighting.observe(values);
    sums.add(await scoresOf(outputs, targets, batch));
    return { losses: values, weights };
  }

  /** Makes the losses of a step again, looking at every result: the weights have not changed since. */
  async #diagnose(what: string, again: () => unknown): Promise<NonFiniteError> {
    try {
      await detectAnomaly(again);
    } catch (cause) {
      if (!(cause instanceof NonFiniteError)) throw cause;
      const { given, hint } = cause.details;
      return new NonFiniteError(`${what}: ${cause.reason}`, { given, hint, cause });
    }
    return new NonFiniteError(`${what}, and were finite when made again`);
  }

  /** Metrics of a cohort: of what a phase predicts, or of all tasks. */
  #evaluate(cohort: PetCohort, normalization: Normalization, phase?: Phase): Promise<MetricSums> {
    const modules = Object.values(modulesOf(this.#networks));
    return withNormalization(modules, normalization, () =>
      evaluate(
        (x) => (phase ? phase.forward(x) : predict(this.#networks, x)),
        this.#samples[cohort],
        this.#batchSize,
        this.#pause,
      ),
    );
  }

  /** Appends to the curves. */
  #record(values: Readonly<Record<string, number>>): void {
    for (const [curve, value] of Object.entries(values)) (this.#position.curves[curve] ??= []).push(value);
  }

  async #test(): Promise<RunResult> {
    const metrics: Record<string, number> = {
      ...named('train', this.#position.trainMetrics),
      'pet channels at the start': this.#position.petChannels,
    };
    for (const normalization of ['batch', 'running'] as const) {
      for (const cohort of ['validation', 'test'] as const) {
        const sums = await this.#evaluate(cohort, normalization);
        Object.assign(metrics, named(cohort, sums.metrics(), normalization));
        if (cohort === 'test' && normalization === 'batch') {
          Object.assign(metrics, lastTestBatch(sums.boxIous, this.#context.seed));
        }
      }
    }
    const { curves } = this.#position;
    for (const [curve, values] of Object.entries(curves)) {
      if (/^(weight|stitch|mix)/.test(curve)) metrics[`final ${curve}`] = values.at(-1)!;
    }
    const modules = Object.values(modulesOf(this.#networks));
    const pictures = await withNormalization(modules, 'batch', () =>
      picturePanel((x) => predict(this.#networks, x), this.#samples.test, this.#batchSize),
    );
    return { metrics, curves, pictures };
  }

  async #save(phase: Phase): Promise<void> {
    const states: Record<string, StateDict> = { optimizer: await phase.optimizer.stateDict() };
    for (const [name, module] of Object.entries(modulesOf(this.#networks))) states[name] = await module.stateDict();
    await this.#context.save({ states, position: this.#position });
  }

  /** Goes back to the last checkpoint, if there is one. */
  async #resume(): Promise<boolean> {
    const checkpoint = await this.#context.resume();
    if (!checkpoint) return false;
    this.#position = checkpoint.position as Position;
    for (const [name, module] of Object.entries(modulesOf(this.#networks))) {
      module.loadStateDict(checkpoint.states[name]!);
    }
    this.#phases[this.#position.phase]!.optimizer.loadStateDict(checkpoint.states.optimizer ?? new Map());
    this.#stepsDone = this.#epochsDone() * this.#stepsPerEpoch;
    return true;
  }
}

/** Trains and tests one run. Throws NonFiniteError when a loss is not finite. */
export const trainCrossStitch = (
  context: RunContext,
  settings: TrainingSettings,
  samples: Readonly<Record<PetCohort, PetSamples>>,
): Promise<RunResult> => new Run(context, settings, samples).train();
