// Evaluation (section 6 of the specification): all validation pictures once, in inference mode; scores pooled over the whole set, and
// panels of some of the pictures.
import { argmax, noGrad, scope } from '../../../engine/index.ts';
import { type RoomScenes, type RoomSplit, VOID } from '../../data/rooms.ts';
import { DepthErrors } from '../../metrics/depth-errors.ts';
import { LabelScores } from '../../metrics/labels.ts';
import { depthPicture, photograph } from '../../report/depth-pictures.ts';
import { itemOf, sampleOf } from '../../report/pictures.ts';
import { base64, encodePng } from '../../report/png.ts';
import { evaluateInBatches, inference } from '../../runner/evaluation.ts';
import type { Picture } from '../../runner/paper.ts';
import type { Pause } from '../../runner/training.ts';
import type { RoomNetwork } from './network.ts';
import { inputsOf, mapsOf, readSample, type Sample, targetsOf } from './samples.ts';
import { tasks } from './settings.ts';

type Validation = RoomSplit['validation'];

/** Pictures of a cohort in batches. */
const readable = (
  data: RoomScenes,
  { cohort, indices }: Validation,
  batch: number,
  maps: Parameters<typeof readSample>[2],
) => ({
  ...{ count: indices.length, batch },
  read: (first: number, end: number): Promise<Sample[]> =>
    Promise.all(indices.slice(first, end).map((index) => readSample(data.cohorts[cohort], index, maps))),
});

/** Scores of a network by name. Leaves it in training mode. */
export async function evaluate(
  network: RoomNetwork,
  data: RoomScenes,
  validation: Validation,
  batch: number,
  pause: Pause,
): Promise<Record<string, number>> {
  const { settings, module } = network;
  const [labels, errors] = [new LabelScores({ classes: data.classes.length }), new DepthErrors()];
  const pixels = settings.width * settings.height;
  await inference([module], () =>
    evaluateInBatches(
      readable(data, validation, batch, mapsOf(settings)),
      (samples) => network.forward(inputsOf(samples, settings, data)).predictions,
      async ({ segmentation, depth }, samples) => {
        const truth = targetsOf(samples, settings);
        const classes = segmentation && (await argmax(segmentation, 1).array());
        const metres = depth && (await depth.array());
        for (let n = 0; n < samples.length; n++) {
          if (classes) labels.add(itemOf(classes, n, pixels), itemOf(truth.segmentation!, n, pixels));
          if (metres) errors.add(itemOf(metres, n, pixels), itemOf(truth.depth!, n, pixels));
        }
      },
      pause,
    ),
  );
  return { ...labels.metrics(), ...errors.metrics() };
}

/** Classes in their colours, void black. */
export function classPicture(
  labels: Uint8Array,
  [width, height]: readonly [number, number],
  palette: RoomScenes['palette'],
): Promise<Uint8Array> {
  const data = new Uint8Array(3 * labels.length);
  labels.forEach((label, i) => label !== VOID && data.set(palette[label]!, 3 * i));
  return encodePng({ width, height, data, channels: 3 });
}

/** Picture, truth and predictions of some pictures. */
export async function panels(network: RoomNetwork, data: RoomScenes, shown: Validation): Promise<Picture[]> {
  const { settings, module } = network;
  const size = [settings.width, settings.height] as const;
  const classes = (labels: Uint8Array): Promise<string> => classPicture(labels, size, data.palette).then(base64);
  const metres = (map: Float32Array): Promise<string> => depthPicture(map, size, [0.5, data.depthRange]).then(base64);
  const pictures: Picture[] = [];
  using _ = scope();
  await inference([module], async () => {
    for (const index of shown.indices) {
      const cohort = data.cohorts[shown.cohort];
      const sample = await readSample(cohort, index, new Set(tasks));
      const { segmentation, depth } = noGrad(() => network.forward(inputsOf([sample], settings, data))).predictions;
      const own = segmentation && Uint8Array.from(await argmax(segmentation, 1).array());
      const seen = depth && Float32Array.from(await depth.array());
      pictures.push(
        await sampleOf(cohort.names[index]!, {
          picture: photograph(Uint8Array.from(sample.image), size).then(base64),
          'true classes': classes(sample.segmentation!),
          classes: own && classes(own),
          'true depth': metres(sample.depth!),
          depth: seen && metres(seen),
        }),
      );
    }
  });
  return pictures;
}
