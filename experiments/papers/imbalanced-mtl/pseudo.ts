// Pseudo-labels (section 4 of the specification): what a teacher makes, in inference mode and without augmentation, of the pictures that
// have lost a label. A class is believed where its probability is above tau; depth is believed everywhere. Made once a run and kept.
import { amax, argmax, softmax, type Tensor } from '../../../engine/index.ts';
import { type RoomScenes, VOID } from '../../data/rooms.ts';
import { DepthErrors } from '../../metrics/depth-errors.ts';
import { ConfusionMatrix } from '../../metrics/labels.ts';
import { itemOf } from '../../report/pictures.ts';
import { evaluateInBatches, inference } from '../../runner/evaluation.ts';
import type { Pause } from '../../runner/training.ts';
import type { RoomNetwork } from './network.ts';
import { inputsOf, mapsOf, type PseudoMaps, readSample, type Sample } from './samples.ts';
import type { Task } from './settings.ts';

/** Smallest depth that a teacher can give: 0 would say that there is none. */
const NEAREST = 1e-3;

export interface PseudoLabels {
  readonly maps: PseudoMaps;
  /** How much was kept, and how good it is by the labels that were hidden. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** The most probable classes of scores (N, C, H, W), VOID where they are not probable enough. */
export async function believedClasses(scores: Tensor, tau: number): Promise<Uint8Array> {
  const probability = await amax(softmax(scores, 1), 1).array();
  const classes = await argmax(scores, 1).array();
  return Uint8Array.from(classes, (label, i) => (probability[i]! > tau ? label : VOID));
}

/** A teacher's labels of a task for pictures of the training cohort. */
export async function pseudoLabels(
  teacher: RoomNetwork,
  data: RoomScenes,
  indices: readonly number[],
  { task, tau, batch }: { readonly task: Task; readonly tau: number; readonly batch: number },
  pause: Pause,
): Promise<PseudoLabels> {
  const { settings, module } = teacher;
  const pixels = settings.width * settings.height;
  const maps = new Map<number, Uint8Array | Float32Array>();
  const [classes, errors] = [new ConfusionMatrix({ classes: data.classes.length }), new DepthErrors()];
  let kept = 0;
  const read = (first: number, end: number): Promise<{ index: number; sample: Sample }[]> =>
    Promise.all(
      indices
        .slice(first, end)
        .map(async (index) => ({ index, sample: await readSample(data.cohorts.train, index, mapsOf(settings)) })),
    );
  await inference([module], () =>
    evaluateInBatches(
      { count: indices.length, batch, read },
      (items) =>
        teacher.forward(
          inputsOf(
            items.map(({ sample }) => sample),
            settings,
            data,
          ),
        ).predictions[task]!,
      async (prediction, items) => {
        const made =
          task === 'segmentation'
            ? await believedClasses(prediction, tau)
            : Float32Array.from(await prediction.array(), (value) =>
                Math.min(data.depthRange, Math.max(NEAREST, value)),
              );
        for (const [n, { index, sample }] of items.entries()) {
          const map = itemOf(made, n, pixels).slice();
          maps.set(index, map);
          if (map instanceof Float32Array) errors.add(map, sample.depth!);
          else {
            kept += map.reduce((sum, label) => sum + Number(label !== VOID), 0);
            // Of those that were kept.
            classes.add(
              map,
              sample.segmentation!.map((label, i) => (map[i] === VOID ? VOID : label)),
            );
          }
        }
      },
      pause,
    ),
  );
  if (task === 'depth') {
    const { rmse } = errors.metrics();
    return { maps, metrics: { 'pseudo kept': 1, ...(rmse === undefined ? {} : { 'pseudo rmse': rmse }) } };
  }
  const { accuracy } = classes;
  return {
    maps,
    metrics: {
      'pseudo kept': kept / (indices.length * pixels),
      ...(accuracy === undefined ? {} : { 'pseudo accuracy': accuracy }),
    },
  };
}
