// What the harder rooms are made for: a small network that sees the classes of a picture alone predicts its depth badly, one that sees
// the depth alone predicts its classes well. In easy rooms the classes tell most of the depth.
import t from 'tap';
import {
  Adam,
  argmax,
  createDevice,
  crossEntropy,
  manualSeed,
  maxPool2d,
  mseLoss,
  nn,
  noGrad,
  polynomialLR,
  random,
  scope,
  setDefaultDevice,
  type Tensor,
  tensor,
} from '../../../engine/index.ts';
import type { RoomCohortName, RoomKind } from '../../../experiments/index.ts';
import { resizeNearest } from '../../../experiments/data/resize.ts';
import { generatedRoom, ROOM_SIDE, roomClasses } from '../../../experiments/data/synthetic/rooms.ts';
import { DepthErrors } from '../../../experiments/metrics/depth-errors.ts';
import { LabelScores } from '../../../experiments/metrics/labels.ts';
import { DoubleConv, UNetUp } from '../../../models/blocks.ts';
import { testedOn } from '../../tested-on.ts';

testedOn('wasm');
t.setTimeout(300_000);
setDefaultDevice(await createDevice('wasm'));

const [SIDE, BATCH, STEPS, RATE] = [32, 8, 200, 4e-3];
const PIXELS = SIDE ** 2;
const counts: Readonly<Record<RoomCohortName, number>> = { train: 200, test: 60 };
const CLASSES = roomClasses.length;

/** Classes and standardised depth of a room in the probe's size. */
interface Probed {
  readonly labels: Uint8Array;
  readonly depth: Float32Array;
}

/** Depths are in standard deviations around the mean of the training rooms. */
function roomsOf(kind: RoomKind): Record<RoomCohortName, Probed[]> {
  const make = (cohort: RoomCohortName): Probed[] =>
    Array.from({ length: counts[cohort] }, (_, index) => {
      const { labels, depth } = generatedRoom(kind, cohort, index);
      return {
        labels: resizeNearest(labels, ROOM_SIDE, ROOM_SIDE, SIDE),
        depth: resizeNearest(depth, ROOM_SIDE, ROOM_SIDE, SIDE),
      };
    });
  return { train: make('train'), test: make('test') };
}

const rates = polynomialLR(RATE, { totalIters: STEPS, power: 0.9 });

const widths = [8, 16, 32, 32] as const;

/** A U-Net of four levels whose lowest features see the whole picture. */
class Probe extends nn.Module {
  readonly down: nn.ModuleList<DoubleConv>;
  readonly up: nn.ModuleList<UNetUp>;
  readonly head: nn.Conv2d;

  constructor(inputs: number, outputs: number) {
    super();
    this.down = new nn.ModuleList(widths.map((width, i) => new DoubleConv(i > 0 ? widths[i - 1]! : inputs, width)));
    this.up = new nn.ModuleList([2, 1, 0].map((i) => new UNetUp(widths[i + 1]!, widths[i]!, widths[i]!, 'bilinear')));
    this.head = new nn.Conv2d(widths[0], outputs, 1);
  }

  forward(x: Tensor): Tensor {
    const features: Tensor[] = [];
    for (const level of this.down) features.push((x = level.forward(features.length > 0 ? maxPool2d(x, 2) : x)));
    for (const [i, level] of [...this.up].entries()) x = level.forward(x, features[2 - i]!);
    return this.head.forward(x);
  }
}

const classesOf = (rooms: readonly Probed[]): Tensor => {
  const values = new Float32Array(rooms.length * CLASSES * PIXELS);
  rooms.forEach(({ labels }, n) => labels.forEach((label, k) => (values[(n * CLASSES + label) * PIXELS + k] = 1)));
  return tensor(values, [rooms.length, CLASSES, SIDE, SIDE]);
};
const labelsOf = (rooms: readonly Probed[]): Tensor =>
  tensor(Int32Array.from(rooms.flatMap(({ labels }) => [...labels])), [rooms.length, SIDE, SIDE]);

interface Scale {
  readonly mean: number;
  readonly deviation: number;
}
const depthOf = (rooms: readonly Probed[], { mean, deviation }: Scale): Tensor => {
  const metres = rooms.flatMap(({ depth }) => [...depth]);
  return tensor(
    Float32Array.from(metres, (value) => (value - mean) / deviation),
    [rooms.length, 1, SIDE, SIDE],
  );
};

function scaleOf(rooms: readonly Probed[]): Scale {
  const metres = rooms.flatMap(({ depth }) => [...depth]);
  const mean = metres.reduce((sum, value) => sum + value, 0) / metres.length;
  return { mean, deviation: Math.sqrt(metres.reduce((sum, value) => sum + (value - mean) ** 2, 0) / metres.length) };
}

type Maps = (rooms: readonly Probed[]) => Tensor;

/** A network trained to give what `loss` wants from what `input` shows. */
function trained(
  rooms: readonly Probed[],
  outputs: number,
  input: Maps,
  loss: (y: Tensor, rooms: Probed[]) => Tensor,
): Probe {
  manualSeed(0);
  const probe = new Probe(input(rooms.slice(0, 1)).shape[1]!, outputs);
  const optimizer = new Adam(probe.parameters(), { lr: RATE });
  for (let step = 0; step < STEPS; step++) {
    using _ = scope();
    optimizer.setRates(rates(step));
    const order = random(0, 'batch of the probe', step).permutation(rooms.length).subarray(0, BATCH);
    const batch = [...order].map((i) => rooms[i]!);
    optimizer.zeroGrad();
    loss(probe.forward(input(batch)), batch).backward();
    optimizer.step();
  }
  probe.eval();
  return probe;
}

/** Rmse of the depth that classes tell, as a share of that of the best constant. */
async function depthFromClasses({ train, test }: Record<RoomCohortName, Probed[]>): Promise<number> {
  const scale = scaleOf(train);
  const probe = trained(train, 1, classesOf, (y, rooms) => mseLoss(y, depthOf(rooms, scale)));
  const [errors, constant] = [new DepthErrors(), new DepthErrors()];
  const best = new Float32Array(PIXELS).fill(scaleOf(test).mean);
  for (const room of test) {
    using _ = scope();
    const standard = await noGrad(() => probe.forward(classesOf([room]))).array();
    errors.add(
      Float32Array.from(standard, (value) => value * scale.deviation + scale.mean),
      room.depth,
    );
    constant.add(best, room.depth);
  }
  return errors.metrics().rmse! / constant.metrics().rmse!;
}

/** Scores of the classes that depth tells, and the accuracy of always saying the most frequent one. */
async function classesFromDepth({ train, test }: Record<RoomCohortName, Probed[]>) {
  const scale = scaleOf(train);
  const input: Maps = (rooms) => depthOf(rooms, scale);
  const probe = trained(train, CLASSES, input, (y, rooms) => crossEntropy(y, labelsOf(rooms)));
  const [scores, constant] = [new LabelScores({ classes: CLASSES }), new LabelScores({ classes: CLASSES })];
  for (const room of test) {
    using _ = scope();
    scores.add(await noGrad(() => argmax(probe.forward(input([room])), 1)).array(), room.labels);
    constant.add(new Uint8Array(PIXELS).fill(roomClasses.indexOf('wall')), room.labels);
  }
  return { found: scores.metrics(), constant: constant.metrics() };
}

t.test('harder rooms: classes do not tell depth, depth tells classes', async (t) => {
  const rooms = roomsOf('harder');
  const ratio = await depthFromClasses(rooms);
  t.ok(ratio > 0.8, `depth from classes: rmse ${ratio.toFixed(2)} of the best constant`);
  const { found, constant } = await classesFromDepth(rooms);
  const [accuracy, trivial] = [found['pixel accuracy']!, constant['pixel accuracy']!];
  const [miou, least] = [found['mIoU (MTI-Net)']!, constant['mIoU (MTI-Net)']!];
  t.ok(
    accuracy > 75 && trivial < 55,
    `classes from depth: accuracy ${accuracy.toFixed(1)} %, ${trivial.toFixed(1)} % for walls`,
  );
  t.ok(miou > 5 * least, `mIoU ${miou.toFixed(1)} %, ${least.toFixed(1)} % for walls`);
});

t.test('easy rooms: classes tell depth', async (t) => {
  const ratio = await depthFromClasses(roomsOf('easy'));
  t.ok(ratio < 0.6, `depth from classes: rmse ${ratio.toFixed(2)} of the best constant`);
});
