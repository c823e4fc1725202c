// One training run: a teacher's labels for what has none, all updates, one evaluation with the last weights, which are kept for
// students and predictions.
import { Adam, applySchedule, lambdaLR } from '../../../engine/index.ts';
import { type RoomScenes, splitRooms } from '../../data/rooms.ts';
import { Parts } from '../../parallel/parts.ts';
import { readGivenWeights, weightsFor } from '../../runner/given-weights.ts';
import { neededFile } from '../../runner/needs.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { type Phase, train } from '../../runner/training.ts';
import { evaluate, panels } from './evaluation.ts';
import { type RoomLosses, roomLosses } from './losses.ts';
import { RoomNetwork } from './network.ts';
import { loadNetwork, metadataOf } from './predict.ts';
import { type PseudoLabels, pseudoLabels } from './pseudo.ts';
import { inputsOf, type Sample, Samples, targetsOf } from './samples.ts';
import type { RoomSettings } from './settings.ts';

/** Batches made ahead of their use. */
const AHEAD = 2;
/** Points of the curves of losses, and checkpoints. */
const [POINTS, CHECKPOINTS] = [30, 5];

/** The name under which a run keeps its weights. */
export const WEIGHTS = 'last';

/** Puts weights that the command named into the backbone of the pictures; for the small one of the harder rooms there are none. */
async function loadWeights(network: RoomNetwork, { weights, data }: RoomSettings, run: string): Promise<void> {
  const given = data === 'harder' ? undefined : weightsFor(weights, `hrnet-${network.settings.backbone}`, run);
  if (!given) return;
  network.module.encoder.backbones.at(0).loadStateDict(await readGivenWeights(given), { source: given.file });
}

/** Trains and evaluates one run. Rejects with DataError where a file is damaged. */
export async function trainRooms(context: RunContext, settings: RoomSettings, data: RoomScenes): Promise<RunResult> {
  const { seed, parts = new Parts() } = context;
  const { updates, learningRate, weightDecay, schedule, pseudo, hidden, evaluationBatch } = settings;
  const split = splitRooms(data.cohorts, settings.split);
  const samples = new Samples(data, split, settings, seed);
  const network = new RoomNetwork(settings.network, data.classes.length, seed);
  const { module } = network;
  const optimizer = new Adam(module.parameters(), { lr: learningRate, weightDecay });
  const { steps, power } = schedule;
  // Whole numbers under the floor: the share of the steps that are over has no rounding to fall over.
  const rate = lambdaLR(learningRate, (k) => (1 - Math.floor((steps * k) / updates) / steps) ** power);
  let labels: PseudoLabels | undefined;
  const phase: Phase<Sample[]> = {
    steps: updates,
    validateEvery: Math.ceil(updates / POINTS),
    checkpointEvery: Math.ceil(updates / CHECKPOINTS),
    optimizers: [optimizer],
    ahead: AHEAD,
    begin: () => loadWeights(network, settings, context.run),
    async prepare() {
      if (!pseudo || !hidden) return;
      const { network: teacher } = await loadNetwork(neededFile(context.needed, pseudo.teacher));
      const asked = { task: hidden, tau: pseudo.tau, batch: evaluationBatch };
      labels = await pseudoLabels(teacher, data, split.hidden, asked, () => Promise.resolve());
      teacher.module.dispose();
    },
    batch: (k) => samples.batch(k, labels?.maps),
    async step(batch, k) {
      const whole = targetsOf(batch, settings.network);
      const all = { size: batch.length, modules: [module], losses: ['total', 'segmentation', 'depth'] };
      const losses = await parts.accumulate(all, ({ from, to, share }): RoomLosses => {
        const own = share === 1 ? batch : batch.slice(from, to);
        const outputs = network.forward(inputsOf(own, settings.network, data));
        const targets = share === 1 ? whole : targetsOf(own, settings.network);
        const found = roomLosses(outputs, targets, settings, whole);
        optimizer.zeroGrad();
        found.total?.backward();
        return found;
      });
      const { total, segmentation, depth } = losses;
      if (!total) return {};
      applySchedule(optimizer, rate, k);
      optimizer.step();
      return { loss: total, 'loss segmentation': segmentation, 'loss depth': depth };
    },
  };
  return train<Sample[], RunResult>(context, {
    modules: { network: module },
    phases: [phase],
    async finish({ curves, stalls }, pause) {
      await context.keep(WEIGHTS, await module.stateDict(), metadataOf(settings.network, data));
      const { pictures } = samples;
      const metrics = {
        ...(await evaluate(network, data, split.validation, evaluationBatch, pause)),
        ...labels?.metrics,
        pictures: pictures.length,
        'pictures with all labels': settings.hidden ? split.labelled.length : pictures.length,
        'validation pictures': split.validation.indices.length,
      };
      const shown = { ...split.validation, indices: split.validation.indices.slice(0, settings.shown) };
      return { metrics, curves, pictures: await panels(network, data, shown), diagnostics: { stalls } };
    },
  });
}
