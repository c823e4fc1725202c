// L = L_D + alpha L_S with deep supervision (section 4 of the specification): cross-entropy over the pixels that have a class, absolute
// error over those that have a depth, of the prediction and of the first ones of all four scales. A term without a label is left out:
// its mean would be 0 / 0.
import { abs, add, crossEntropy, interpolate, mul, sub, sum, type Tensor, tensor } from '../../../engine/index.ts';
import { shareOf } from '../../parallel/parts.ts';
import { resizeNearest } from '../../data/resize.ts';
import { VOID } from '../../data/rooms.ts';
import type { ByTask, RoomOutputs } from './network.ts';
import { type RoomSettings, type Task, tasks } from './settings.ts';

/** Labels of a batch on the host, row-major, for the tasks that are trained. */
export interface HostTargets {
  /** Pictures. */
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** (N, H, W): classes, or VOID. */
  readonly segmentation?: Uint8Array | undefined;
  /** (N, 1, H, W): metres, 0 where there are none. */
  readonly depth?: Float32Array | undefined;
}

type Maps = Uint8Array | Float32Array;

/** The labels at another size, by nearest neighbour. */
function atSize<T extends Maps>(maps: T, { count, width, height }: HostTargets, [h, w]: readonly [number, number]): T {
  if (h === height && w === width) return maps;
  const smaller = new (maps.constructor as new (length: number) => T)(count * h * w);
  for (let n = 0; n < count; n++) {
    const map = maps.subarray(n * width * height, (n + 1) * width * height) as T;
    smaller.set(resizeNearest(map, width, height, w, h), n * h * w);
  }
  return smaller;
}

const countOf = (maps: Maps, isLabel: (value: number) => boolean): number => {
  let count = 0;
  for (const value of maps) if (isLabel(value)) count++;
  return count;
};

const isClass = (label: number): boolean => label !== VOID;
const isDepth = (metres: number): boolean => metres > 0;

/**
 * Mean cross-entropy of scores (N, C, h, w) over the pixels with a class; undefined where there are none. `all` are the labels of the
 * batch: those of a part are its share of that mean.
 */
function segmentationTerm(scores: Tensor, labels: Uint8Array, all: Maps): Tensor | undefined {
  const valid = countOf(labels, isClass);
  if (valid === 0) return undefined;
  const [count, , height, width] = scores.shape as [number, number, number, number];
  const own = crossEntropy(scores, tensor(Int32Array.from(labels), [count, height, width]), { ignoreIndex: VOID });
  return shareOf(own, all === labels ? 1 : valid / countOf(all, isClass));
}

/** Mean absolute error of metres (N, 1, h, w) over the pixels with a depth; undefined where there are none. `all` is as there. */
function depthTerm(metres: Tensor, truth: Float32Array, all: Maps): Tensor | undefined {
  if (countOf(truth, isDepth) === 0) return undefined;
  const valid = countOf(all, isDepth);
  const mask = tensor(
    truth.map((metres) => Number(metres > 0)),
    metres.shape,
  );
  return mul(sum(abs(sub(mul(metres, mask), tensor(truth, metres.shape)))), 1 / valid);
}

/** The losses of a batch; those of tasks without any label are absent. */
export interface RoomLosses extends ByTask<Tensor> {
  readonly total?: Tensor;
}

const sumOf = (terms: readonly Tensor[]): Tensor | undefined =>
  terms.length > 0 ? terms.reduce((sum, term) => add(sum, term)) : undefined;

/** Losses of the tasks, summed over predictions, and their weighted sum. `whole` has the labels of the batch of which these are a part. */
export function roomLosses(
  { predictions, auxiliary }: RoomOutputs,
  targets: HostTargets,
  { alpha, supervision }: Pick<RoomSettings, 'alpha' | 'supervision'>,
  whole: HostTargets = targets,
): RoomLosses {
  const size = [targets.height, targets.width] as const;
  const fitted = (first: Tensor): Tensor =>
    supervision === 'own' ? first : interpolate(first, { mode: 'bilinear', size, alignCorners: false });
  const lossOf = (task: Task): Tensor | undefined => {
    const truth = targets[task];
    const last = predictions[task];
    if (!truth || !last) return undefined;
    const first = supervision === 'none' ? [] : auxiliary.flatMap((scale) => scale[task] ?? []);
    const terms = [last, ...first.map(fitted)].map((prediction) => {
      const size = [prediction.shape[2]!, prediction.shape[3]!] as const;
      const labels = atSize(truth, targets, size);
      const all = whole === targets ? labels : atSize(whole[task]!, whole, size);
      return labels instanceof Uint8Array
        ? segmentationTerm(prediction, labels, all)
        : depthTerm(prediction, labels, all);
    });
    return sumOf(terms.flatMap((term) => term ?? []));
  };
  const losses: ByTask<Tensor> = Object.fromEntries(
    tasks.flatMap((task) => {
      const loss = lossOf(task);
      return loss ? [[task, loss]] : [];
    }),
  );
  const { segmentation, depth } = losses;
  const total = sumOf([segmentation ? mul(segmentation, alpha) : [], depth ?? []].flat());
  return total ? { ...losses, total } : losses;
}
