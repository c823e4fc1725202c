// The losses with missing labels against plain code of their own: cross-entropy and absolute error over labelled pixels, deep supervision at
// full size and at a scale's own resolution, and nothing where there is no label.
import t, { type Test } from 'tap';
import { random, setDefaultDevice, type Tensor, tensor } from '../../../engine/index.ts';
import { VOID } from '../../../experiments/data/rooms.ts';
import { type HostTargets, roomLosses } from '../../../experiments/papers/imbalanced-mtl/losses.ts';
import type { RoomOutputs } from '../../../experiments/papers/imbalanced-mtl/network.ts';
import { onEach, testedOn } from '../../tested-on.ts';

const [COUNT, CLASSES, WIDTH, HEIGHT] = [3, 5, 24, 16];
/** Height and width of the first predictions. */
const scales = [
  [4, 6],
  [2, 3],
] as const;

type Size = readonly [height: number, width: number];

/** Values (N, C, h, w). */
interface Maps {
  readonly values: Float32Array;
  readonly channels: number;
  readonly size: Size;
}

const stream = random(11, 'maps of the losses');
const drawn = (channels: number, size: Size): Maps => ({
  values: Float32Array.from({ length: COUNT * channels * size[0] * size[1] }, () => 2 * stream.normal() + 1),
  channels,
  size,
});
const predicted = (channels: number): Maps[] =>
  [[HEIGHT, WIDTH] as const, ...scales].map((size) => drawn(channels, size));
const [scores, metres] = [predicted(CLASSES), predicted(1)];

const at = ({ values, channels, size: [h, w] }: Maps, n: number, c: number, y: number, x: number): number =>
  values[((n * channels + c) * h + y) * w + x]!;

/** Bilinear, half-pixel centres, the border repeated. */
function upsampled(map: Maps): Maps {
  const [h, w] = map.size;
  const place = (i: number, from: number, to: number): [number, number, number] => {
    const source = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const low = Math.min(from - 1, Math.floor(source));
    return [low, Math.min(from - 1, low + 1), source - low];
  };
  const values = new Float32Array(COUNT * map.channels * HEIGHT * WIDTH);
  let i = 0;
  for (let n = 0; n < COUNT; n++)
    for (let c = 0; c < map.channels; c++)
      for (let y = 0; y < HEIGHT; y++)
        for (let x = 0; x < WIDTH; x++) {
          const [top, bottom, down] = place(y, h, HEIGHT);
          const [left, right, along] = place(x, w, WIDTH);
          const row = (r: number): number => (1 - along) * at(map, n, c, r, left) + along * at(map, n, c, r, right);
          values[i++] = (1 - down) * row(top) + down * row(bottom);
        }
  return { values, channels: map.channels, size: [HEIGHT, WIDTH] };
}

/** The label of pixel (y, x) of a smaller map. */
const nearest = (truth: ArrayLike<number>, n: number, y: number, x: number, [h, w]: Size): number =>
  truth[(n * HEIGHT + Math.floor(((y + 0.5) * HEIGHT) / h)) * WIDTH + Math.floor(((x + 0.5) * WIDTH) / w)]!;

/** Mean over the labelled pixels of what `errorAt` says; undefined without one. */
function meanOver(
  map: Maps,
  truth: ArrayLike<number>,
  isLabel: (label: number) => boolean,
  errorAt: (n: number, y: number, x: number, label: number) => number,
) {
  let [sum, count] = [0, 0];
  for (let n = 0; n < COUNT; n++)
    for (let y = 0; y < map.size[0]; y++)
      for (let x = 0; x < map.size[1]; x++) {
        const label = nearest(truth, n, y, x, map.size);
        if (!isLabel(label)) continue;
        sum += errorAt(n, y, x, label);
        count++;
      }
  return count > 0 ? sum / count : undefined;
}

function plainTerm(map: Maps, truth: Uint8Array | Float32Array): number | undefined {
  if (truth instanceof Float32Array) {
    return meanOver(
      map,
      truth,
      (label) => label > 0,
      (n, y, x, label) => Math.abs(at(map, n, 0, y, x) - label),
    );
  }
  return meanOver(
    map,
    truth,
    (label) => label !== VOID,
    (n, y, x, label) => {
      const exps = Array.from({ length: CLASSES }, (_, c) => Math.exp(at(map, n, c, y, x)));
      return Math.log(exps.reduce((a, b) => a + b)) - at(map, n, label, y, x);
    },
  );
}

function plainLoss(
  maps: readonly Maps[],
  truth: Uint8Array | Float32Array,
  supervision: 'full' | 'own' | 'none',
): number | undefined {
  const [last, ...first] = maps;
  const compared = supervision === 'none' ? [] : supervision === 'own' ? first : first.map(upsampled);
  const terms = [last!, ...compared].flatMap((map) => plainTerm(map, truth) ?? []);
  return terms.length > 0 ? terms.reduce((a, b) => a + b) : undefined;
}

const pixels = COUNT * HEIGHT * WIDTH;
const classes = Uint8Array.from({ length: pixels }, () =>
  stream.uniform() < 0.3 ? VOID : Math.floor(CLASSES * stream.uniform()),
);
const depths = Float32Array.from({ length: pixels }, () => (stream.uniform() < 0.3 ? 0 : 1 + 5 * stream.uniform()));
/** Labels of the first picture alone: the others have lost theirs. */
const onlyFirst = <T extends Uint8Array | Float32Array>(maps: T, none: number): T =>
  maps.map((value, i) => (i < HEIGHT * WIDTH ? value : none)) as T;
/** A single labelled pixel, which no smaller map takes. */
const onePixel = new Uint8Array(pixels).fill(VOID);
onePixel[0] = 2;

const cases: readonly (readonly [
  name: string,
  segmentation: Uint8Array | undefined,
  depth: Float32Array | undefined,
])[] = [
  ['all pictures have both', classes, depths],
  ['segmentation of one picture', onlyFirst(classes, VOID), depths],
  ['depth of one picture', classes, onlyFirst(depths, 0)],
  ['no segmentation in the batch', new Uint8Array(pixels).fill(VOID), depths],
  ['no depth in the batch', classes, new Float32Array(pixels)],
  ['one labelled pixel, which no scale of its own has', onePixel, depths],
  ['a network of one task', classes, undefined],
];

async function compare(t: Test, supervision: 'full' | 'own' | 'none'): Promise<void> {
  const leaf = ({ values, channels, size }: Maps): Tensor =>
    tensor(values, [COUNT, channels, ...size], { requiresGrad: true });
  for (const [name, segmentation, depth] of cases) {
    const [s, d] = [scores.map(leaf), metres.map(leaf)];
    const outputs: RoomOutputs = {
      predictions: { segmentation: s[0]!, ...(depth ? { depth: d[0]! } : {}) },
      auxiliary: scales.map((_, i) => ({ segmentation: s[i + 1]!, ...(depth ? { depth: d[i + 1]! } : {}) })),
    };
    const targets: HostTargets = { count: COUNT, width: WIDTH, height: HEIGHT, segmentation, depth };
    const losses = roomLosses(outputs, targets, { alpha: 0.7, supervision });
    const plain = {
      segmentation: segmentation && plainLoss(scores, segmentation, supervision),
      depth: depth && plainLoss(metres, depth, supervision),
    };
    const close = async (loss: Tensor | undefined, expected: number | undefined, what: string): Promise<void> => {
      if (expected === undefined) return t.equal(loss, undefined, `${name}: no ${what}`) as unknown as void;
      const value = await loss!.item();
      t.ok(Math.abs(value - expected) < 1e-5 * (1 + expected), `${name}, ${what}: ${value}, ${expected}`);
    };
    await close(losses.segmentation, plain.segmentation, 'segmentation');
    await close(losses.depth, plain.depth, 'depth');
    await close(losses.total, 0.7 * (plain.segmentation ?? 0) + (plain.depth ?? 0), 'total');
    losses.total!.backward();
    const grad = s[0]!.grad && (await s[0]!.grad.array());
    if (plain.segmentation === undefined)
      t.notOk(
        grad?.some((value) => value !== 0),
        `${name}: nothing is learnt of it`,
      );
    else {
      t.ok(grad!.every(Number.isFinite), `${name}: finite`);
      const isVoid = (i: number): boolean =>
        segmentation![Math.floor(i / (CLASSES * HEIGHT * WIDTH)) * HEIGHT * WIDTH + (i % (HEIGHT * WIDTH))] === VOID;
      t.ok(
        grad!.every((value, i) => !isVoid(i) || value === 0),
        `${name}: nothing from void`,
      );
    }
  }
}

await onEach(t, testedOn('reference', 'wasm'), async (t, device) => {
  setDefaultDevice(device);
  for (const supervision of ['full', 'own', 'none'] as const) await compare(t, supervision);
  const [map] = scores.map(({ values, channels, size }) => tensor(values, [COUNT, channels, ...size]));
  const nothing = { count: COUNT, width: WIDTH, height: HEIGHT, segmentation: new Uint8Array(pixels).fill(VOID) };
  const outputs = { predictions: { segmentation: map! }, auxiliary: [] };
  t.same(roomLosses(outputs, nothing, { alpha: 1, supervision: 'full' }), {}, 'a batch without any label has no loss');
});
