// Scores of a network on a cohort in inference mode (section 6 of the specification), the spread of its pooled features, and the
// panels of figures 6, 7 and 9 to 12: picture, truth and predictions in reversed plasma, scaled to the range of the truth.
import { mean, noGrad, scope, tensor } from '../../../engine/index.ts';
import { objectClasses } from '../../data/object-scenes.ts';
import { batchScores, DepthAndClassSums } from '../../metrics/depth-and-class.ts';
import { photograph, plasmaPicture } from '../../report/depth-pictures.ts';
import { itemOf, sampleOf } from '../../report/pictures.ts';
import { base64 } from '../../report/png.ts';
import { evaluateInBatches, inference } from '../../runner/evaluation.ts';
import type { Picture } from '../../runner/paper.ts';
import type { Pause } from '../../runner/training.ts';
import { type TaskLosses, taskLosses } from './losses.ts';
import type { SceneNetwork } from './network.ts';
import { batchOf, type HostBatch, pixelsOf, type Place, type Pool } from './samples.ts';
import type { TrainingSettings } from './settings.ts';

export type Scored = Pick<TrainingSettings, 'evaluationBatch' | 'lossWeights' | 'range' | 'maskInvalid'>;

/** Pictures of a batch on the device, (N, 3, H, W) from 0 to 255. */
export function picturesOf({ scenes, places }: Pick<HostBatch, 'scenes' | 'places'>) {
  const { width, height } = scenes[0]!;
  const variants = places.map(({ variant }) => variant);
  return tensor(pixelsOf(scenes, variants), [scenes.length, 3, height, width]);
}

/** The truth of a batch on the device. */
export function targetsOf({ scenes, metres, labels }: HostBatch, maskInvalid: boolean) {
  const { width, height } = scenes[0]!;
  const shape = [scenes.length, 1, height, width];
  const valid = maskInvalid
    ? tensor(
        metres.map((value) => Number(value > 0)),
        shape,
      )
    : undefined;
  return { depth: tensor(metres, shape), labels: tensor(labels), valid };
}

/** Sums of scores and losses, weighted by pictures. */
export class Scores {
  readonly #sums = new DepthAndClassSums(objectClasses);
  readonly #losses: Record<string, number> = {};
  #count = 0;

  /** Adds what was made of a batch. Returns its losses. */
  async add(
    batch: HostBatch,
    made: { readonly losses: TaskLosses; readonly outputs: Parameters<typeof taskLosses>[0] },
    target: ReturnType<typeof targetsOf>,
    range: number,
  ): Promise<Record<keyof TaskLosses, number>> {
    const { metres, labels } = batch;
    this.#sums.add(await batchScores({ ...made.outputs, target: target.depth, metres, labels }, range));
    const { loss, depthLoss, classesLoss } = made.losses;
    const values = {
      loss: await loss.item(),
      depthLoss: await depthLoss.item(),
      classesLoss: await classesLoss.item(),
    };
    for (const [name, value] of Object.entries(values)) {
      this.#losses[name] = (this.#losses[name] ?? 0) + value * labels.length;
    }
    this.#count += labels.length;
    return values;
  }

  /** Scores and mean losses by name. */
  metrics(): Record<string, number> {
    const losses = Object.entries(this.#losses).map(([name, sum]) => [name, sum / this.#count] as const);
    return { ...this.#sums.metrics(), ...Object.fromEntries(losses) };
  }
}

/** All scores of some places, in their own order. Leaves the network in training mode. */
export async function evaluate(
  network: SceneNetwork,
  source: Pool['scenes'],
  places: readonly Place[],
  { evaluationBatch: batch, lossWeights: weights, range, maskInvalid }: Scored,
  pause: Pause,
): Promise<Record<string, number>> {
  const scores = new Scores();
  const read = (first: number, end: number): Promise<HostBatch> => batchOf(source, places.slice(first, end));
  await inference([network.module], () =>
    evaluateInBatches(
      { count: places.length, batch, read },
      (host) => network.forward(picturesOf(host)),
      async (outputs, host) => {
        const target = targetsOf(host, maskInvalid);
        const losses = noGrad(() => taskLosses(outputs, target, { weights, range }));
        await scores.add(host, { losses, outputs }, target, range);
      },
      pause,
    ),
  );
  return scores.metrics();
}

/**
 * How much the pooled features of the backbone differ between pictures: the standard deviation over pictures by the mean, averaged
 * over channels with a mean above 0. Near 0 all pictures look the same to it.
 */
export async function featureSpread(
  network: SceneNetwork,
  source: Pool['scenes'],
  places: readonly Place[],
): Promise<number> {
  using _ = scope();
  const host = await batchOf(source, places);
  const pooled = await inference([network.module], () =>
    noGrad(() => mean(network.encode(picturesOf(host)).mid, [2, 3])).array(),
  );
  const [count, channels] = [places.length, pooled.length / places.length];
  let [sum, used] = [0, 0];
  for (let c = 0; c < channels; c++) {
    const values = Array.from({ length: count }, (_, n) => pooled[n * channels + c]!);
    const middle = values.reduce((total, value) => total + value, 0) / count;
    if (!(middle > 0)) continue;
    sum += Math.sqrt(values.reduce((total, value) => total + (value - middle) ** 2, 0) / count) / middle;
    used++;
  }
  return used > 0 ? sum / used : 0;
}

/** What was predicted of a picture: depth as base64 PNG, and the class. */
export interface Prediction {
  readonly depth: string;
  readonly label: number;
}

/** Predictions of some places as pictures, in the colours of their truth. */
export async function predictions(
  network: SceneNetwork,
  source: Pool['scenes'],
  places: readonly Place[],
): Promise<Prediction[]> {
  using _ = scope();
  const host = await batchOf(source, places);
  const { width, height } = host.scenes[0]!;
  const pixels = width * height;
  return await inference([network.module], async () => {
    const outputs = noGrad(() => network.forward(picturesOf(host)));
    const [depth, labels] = [await outputs.depth.array(), await outputs.logits.argmax(1).array()];
    const drawn = places.map(async (_, n) => {
      const png = await plasmaPicture(
        itemOf(depth, n, pixels),
        [width, height],
        rangeOfTruth(itemOf(host.metres, n, pixels)),
      );
      return { depth: base64(png), label: labels[n]! };
    });
    return Promise.all(drawn);
  });
}

const rangeOfTruth = (metres: Float32Array): [number, number] => {
  let [low, high] = [Infinity, 0];
  for (const value of metres) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
};

/** Rows of picture, truth and the predictions by their captions. */
export async function panels(
  source: Pool['scenes'],
  places: readonly Place[],
  made: Readonly<Record<string, readonly Prediction[]>>,
): Promise<Picture[]> {
  const { scenes, metres } = await batchOf(source, places);
  const { width, height } = scenes[0]!;
  const last = Object.values(made).at(-1)!;
  const rows = scenes.map((scene, n) => {
    const truth = itemOf(metres, n, width * height);
    return sampleOf(`test picture ${n}, ${objectClasses[scene.label]}, taken for ${objectClasses[last[n]!.label]}`, {
      picture: photograph(scene.color, [width, height]).then(base64),
      truth: plasmaPicture(truth, [width, height], rangeOfTruth(truth)).then(base64),
      ...Object.fromEntries(Object.entries(made).map(([caption, own]) => [caption, own[n]!.depth])),
    });
  });
  return Promise.all(rows);
}
