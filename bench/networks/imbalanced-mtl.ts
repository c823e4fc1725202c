// The steps of the imbalanced paper's three kinds of network: a single task on pictures (UMST-S), both tasks on pictures (UMMT) and
// both tasks on pictures and depth (MMMT-D); the losses of all predictions, Adam.
import { Adam } from '../../engine/index.ts';
import { roomLosses } from '../../experiments/papers/imbalanced-mtl/losses.ts';
import { channelsOf, RoomNetwork } from '../../experiments/papers/imbalanced-mtl/network.ts';
import { settingsOf } from '../../experiments/papers/imbalanced-mtl/presets.ts';
import { type CaseShape, fixedValues, type Sizes } from '../peers/protocol.mjs';
import { fixedTensor, fixWeights, onDevice, SEEDS, type TrainingStep } from './step.ts';

/** The rows of Table 4 whose networks are measured; a shape names its network by the place here. */
export const measuredRows = ['UMST-S', 'UMMT', 'MMMT-D'] as const;

const CLASSES = 40;

/** The classes of the generated rooms, on which the nano backbone trains. */
const ROOM_CLASSES = 10;

export type ImbalancedShape = Sizes<
  'network' | 'batch' | 'height' | 'width' | 'classes' | 'learningRate' | 'checkedSteps'
> & { /** 1: the nano backbone of preset laptop. */ readonly nano?: number };

const settingsFor = (network: number, nano = 0) =>
  settingsOf({ data: 'nyud', row: measuredRows[network]! }, nano ? 'laptop' : 'paper');

/** One picture of the paper's size, or a small one. */
export function imbalancedShape(row: (typeof measuredRows)[number], sizes: Partial<ImbalancedShape> = {}): CaseShape {
  const network = measuredRows.indexOf(row);
  const { learningRate, network: own } = settingsFor(network);
  const { width, height } = own;
  return { network, batch: 1, height, width, classes: CLASSES, learningRate, checkedSteps: 2, ...sizes };
}

/** A step of preset laptop: many small launches. */
export function nanoShape(row: (typeof measuredRows)[number]): CaseShape {
  const network = measuredRows.indexOf(row);
  const { learningRate, batch, network: own } = settingsFor(network, 1);
  const { width, height } = own;
  return { network, nano: 1, batch, height, width, classes: ROOM_CLASSES, learningRate, checkedSteps: 2 };
}

function build({
  network: index,
  nano,
  batch,
  height,
  width,
  classes,
  learningRate: lr,
}: ImbalancedShape): TrainingStep {
  const settings = settingsFor(index, nano);
  const { network, alpha, supervision } = settings;
  const rooms = new RoomNetwork(network, classes, 0);
  const { module } = rooms;
  fixWeights(module);
  const optimizer = new Adam(module.parameters(), { lr });
  const channels = [3, ...(network.second ? [channelsOf(network.second.input, network, classes)] : [])];
  const inputs = channels.map((count, i) => fixedTensor([batch, count, height, width], SEEDS.image + 2 * i));
  const pixels = batch * height * width;
  const targets = {
    count: batch,
    height,
    width,
    segmentation: Uint8Array.from({ length: pixels }, (_, i) => i % classes),
    // All of them are measured.
    depth: fixedValues(pixels, SEEDS.other).map((value) => 2 + value),
  };
  return {
    step() {
      const loss = roomLosses(rooms.forward(inputs), targets, { alpha, supervision }).total!;
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
    parameterCount: module.parameterCount(),
    dispose: () => [module, optimizer, ...inputs].forEach((each) => each.dispose()),
  };
}

export const imbalancedStep = onDevice(build);
