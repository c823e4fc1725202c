// Sizes by preset. One table: everything that a preset shrinks or changes stands here (sections 2, 5 and 8.2 of the specification).
import type { RoomKind, RoomRequest } from '../../data/rooms.ts';
import type { PresetName } from '../../runner/paper.ts';
import { type DataSetName, type NetworkSettings, type RoomSettings, rowOf, type RunName, runKey } from './settings.ts';

/** Pictures that keep both labels, that lose one, and that validate. */
type Split = RoomSettings['split'];

type Sizes = Pick<RoomSettings, 'batch' | 'evaluationBatch' | 'learningRate' | 'weightDecay' | 'scales' | 'shown'> &
  Pick<NetworkSettings, 'backbone' | 'picture' | 'depthInput' | 'segmentationInput' | 'width' | 'height'> & {
    readonly large: Split;
    readonly small: Split;
    /** Of the row with one task: how often it sees each of its pictures. */
    readonly epochs: number;
    /** Steps of the schedule; one for each update where there are none. */
    readonly steps?: number;
  };

const onTrain = (labelled: number, hidden: number, validation: number): Split => ({
  ...{ labelled, hidden, validation },
  validateOn: 'train',
});
const onTest = (labelled: number, hidden: number, validation: number): Split => ({
  ...{ labelled, hidden, validation },
  validateOn: 'test',
});

// prettier-ignore
const nyud: Sizes = {
  backbone: 'w18-small-v2', width: 640, height: 480,
  picture: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  depthInput: { mean: 0, deviation: 10, channels: 3 }, segmentationInput: { encoding: 'colours', scale: 1 },
  large: onTrain(250, 250, 295), small: onTrain(250, 250, 295),
  batch: 4, evaluationBatch: 4, epochs: 100, steps: 100, learningRate: 1e-4, weightDecay: 1e-4, scales: [1, 1.2, 1.5], shown: 4,
};
// prettier-ignore
const cityscapes: Sizes = {
  ...nyud, width: 1024, height: 512, depthInput: { mean: 0, deviation: 200, channels: 3 },
  large: onTest(2725, 250, 500), small: onTest(200, 100, 200), batch: 2, evaluationBatch: 2,
};
// prettier-ignore
const rooms: Sizes = {
  backbone: 'nano', width: 64, height: 64,
  picture: { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] },
  depthInput: { mean: 3, deviation: 1.5, channels: 1 }, segmentationInput: { encoding: 'one-hot', scale: 2 },
  large: onTrain(80, 80, 100), small: onTrain(80, 80, 100),
  batch: 4, evaluationBatch: 20, epochs: 75, learningRate: 2e-3, weightDecay: 1e-4, scales: [1], shown: 4,
};
/** As Cityscapes is cut: a twelfth withheld, and a tenth of all for the low number of samples. */
const asCityscapes: Sizes = { ...rooms, large: onTest(146, 14, 100), small: onTest(32, 16, 100), epochs: 37.5 };
const tour = { epochs: 10 };
// prettier-ignore
const smoke = {
  width: 64, height: 32, large: onTrain(4, 4, 4), small: onTrain(4, 4, 4), batch: 2, evaluationBatch: 3, epochs: 1, shown: 1,
};

const sizes: Readonly<Record<PresetName, Readonly<Record<DataSetName, Sizes>>>> = {
  // There is no real data of the harder kind: these are generated whatever the preset.
  paper: { nyud, cityscapes, harder: rooms },
  laptop: { nyud: rooms, cityscapes: asCityscapes, harder: rooms },
  tour: { nyud: { ...rooms, ...tour }, cityscapes: { ...asCityscapes, ...tour }, harder: { ...rooms, ...tour } },
  smoke: {
    nyud: { ...rooms, ...smoke },
    cityscapes: { ...asCityscapes, ...smoke, large: onTest(4, 2, 4), small: onTest(2, 2, 4) },
    harder: { ...rooms, ...smoke },
  },
};

export const seeds: Readonly<Record<PresetName, number>> = { paper: 3, laptop: 3, tour: 1, smoke: 1 };

/** Updates of all rows of a table, those of the row with one task in its epochs; or as many epochs for each row. */
function updatesOf({ data, small, row, equal }: RunName, { epochs, batch, large, small: low }: Sizes): number {
  const { labelled, hidden } = small ? low : large;
  // In Table 5 the row with one task has all labels.
  const reference = data === 'cityscapes' ? labelled + hidden : labelled;
  const own = rowOf(row).pictures === 'all' ? labelled + hidden : labelled;
  return Math.max(1, Math.round((epochs * (equal === 'epochs' ? own : reference)) / batch));
}

/** Pictures to generate for all rows, which share them. */
function countsOf({ large, small }: Sizes): RoomSettings['counts'] {
  const most = (countIn: (split: Split) => number): number => Math.max(...[large, small].map(countIn));
  return {
    train: most(
      ({ labelled, hidden, validation, validateOn }) => labelled + hidden + (validateOn === 'train' ? validation : 0),
    ),
    test: most(({ validation, validateOn }) => (validateOn === 'test' ? validation : 1)),
  };
}

/** What a preset asks of a data set. */
export function requestOf(preset: PresetName, data: DataSetName): RoomRequest {
  const size = sizes[preset][data];
  return { width: size.width, height: size.height, counts: countsOf(size), kind: kindOf(data) };
}

const kindOf = (data: DataSetName): RoomKind => (data === 'harder' ? 'harder' : 'easy');

const DEFAULT_TAU = 0.9;

/** The teacher of a run, on the same pictures; the student's own changes are not its. */
export function teacherOf({ data, small, row }: RunName): RunName | undefined {
  const { teacher } = rowOf(row);
  return teacher && { data, ...(small ? { small } : {}), row: teacher };
}

/** All settings of a run under a preset. */
export function settingsOf(name: RunName, preset: PresetName): RoomSettings {
  const size = sizes[preset][name.data];
  const { second, outputs, pictures, hidden } = rowOf(name.row);
  const teacher = teacherOf(name);
  const updates = updatesOf(name, size);
  const stacked = second?.fusion === 'channels';
  return {
    data: name.data,
    rooms: kindOf(name.data),
    counts: countsOf(size),
    split: name.small ? size.small : size.large,
    pictures,
    hidden: hidden ?? null,
    pseudo: teacher ? { teacher: runKey(teacher), tau: name.tau ?? DEFAULT_TAU } : null,
    network: {
      backbone: size.backbone,
      tasks: outputs,
      second: second ?? null,
      head: name.head ?? 'fa',
      fpmPairing: name.pairing ?? 'official',
      picture: size.picture,
      // Stacked onto the picture it is a fourth channel.
      depthInput: stacked ? { ...size.depthInput, channels: 1 } : size.depthInput,
      segmentationInput: size.segmentationInput,
      width: size.width,
      height: size.height,
    },
    weights: [],
    batch: size.batch,
    evaluationBatch: size.evaluationBatch,
    updates,
    learningRate: size.learningRate,
    weightDecay: size.weightDecay,
    schedule: { power: 0.9, steps: size.steps ?? updates },
    alpha: 1,
    supervision: name.supervision ?? 'full',
    flip: 0.5,
    scales: size.scales,
    shown: size.shown,
  };
}

/** What a preset shrinks, for the report. */
export function describePreset(preset: PresetName): string {
  const { nyud: first, cityscapes: second } = sizes[preset];
  const cut = ({ labelled, hidden, validation }: Split): string => `${labelled} + ${hidden} + ${validation}`;
  const pretrained = `${preset === 'paper' ? 'Without --weights no' : 'No'} pretrained weights`;
  return (
    `HRNet ${first.backbone}, Tables 3 and 4: ${first.width} x ${first.height}, ${cut(first.large)} pictures (both labels, one ` +
    `hidden, validation), batch ${first.batch}, ${updatesOf({ data: 'nyud', row: 'UMMT' }, first)} updates; Table 5: ${second.width} x ` +
    `${second.height}, ${cut(second.large)} and ${cut(second.small)}, batch ${second.batch}, ` +
    `${updatesOf({ data: 'cityscapes', row: 'UMMT' }, second)} updates; Adam ${first.learningRate}. ${pretrained}: backbones begin at random.`
  );
}
