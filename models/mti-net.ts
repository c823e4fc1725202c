// MTI-Net (Vandenhende, Georgoulis and Van Gool 2020) on an HRNet, with the fusion of modalities of Erkent 2025: features at four scales,
// a first prediction per task and scale from the coarsest to the finest, distillation between the tasks at each scale, and one head per
// task on all scales joined. Beside it the networks of a single task, which have nothing to distil: a backbone and a head, and the same
// with the first predictions between.
import { takes } from '../engine/call-check.ts';
import { oneOf } from '../engine/checks.ts';
import {
  add,
  concat,
  ConfigError,
  interpolate,
  mean,
  mul,
  nn,
  relu,
  reshape,
  sigmoid,
  softmax,
  type Tensor,
  tidy,
} from '../engine/index.ts';
import { list, record, requiredOptions, size, text, wholeNumbers } from '../engine/parameters.ts';
import { type FourScales, HRNet, type HRNetName } from './backbones/hrnet.ts';
import { BasicBlock } from './backbones/resnet.ts';

/** One value for each task, by its name. */
export type PerTask<T> = Readonly<Record<string, T>>;

/** How the mask of feature propagation pairs the channels of the tasks. */
export type FpmPairing = 'official' | 'aligned';

/** Options of the encoder of `MtiNet` and `SingleTaskNet`. */
export interface EncoderOptions {
  /** Default 'w18-small-v2'. */
  backbone?: HRNetName;
  /** Channels of each modality, which has a backbone of its own. Default [3]: pictures alone. */
  modalities?: readonly number[];
}

/** Options of MtiNet. */
export interface MtiNetOptions extends EncoderOptions {
  /** Channels of each task's prediction, such as { segmentation: 40, depth: 1 }; at least two tasks. */
  tasks: PerTask<number>;
  /**
   * 'official' (default) is what the authors' code does: of the tasks' channels, joined task by task, neighbours share a softmax. 'aligned'
   * is what the article says: channel i of every task.
   */
  fpmPairing?: FpmPairing;
}

/** What the head of a single task is given. */
export type SingleTaskHead = 'fa' | 'same';

/** Options of SingleTaskNet. */
export interface SingleTaskOptions extends EncoderOptions {
  /** Channels of the prediction. */
  outputs: number;
  /**
   * 'fa' (default): the backbone's features, as in the authors' baseline. 'same': those of a first prediction at each scale, handed from
   * the coarsest to the finest as in MTI-Net, so that there are as many layers as a task has there.
   */
  head?: SingleTaskHead;
}

/** What MtiNet gives for pictures (N, C, H, W). */
export interface MtiNetOutput {
  /** (N, outputs, H, W) by task. */
  readonly predictions: PerTask<Tensor>;
  /** First predictions (N, outputs, H / 2^(s + 2), W / 2^(s + 2)) of scale s = 0 to 3 by task, for deep supervision. */
  readonly auxiliary: FourScales<PerTask<Tensor>>;
}

const encoderOptions = { backbone: text, modalities: wholeNumbers };

function mapTasks<T, U>(tasks: PerTask<T>, map: (value: T, task: string) => U): PerTask<U> {
  return Object.fromEntries(Object.entries(tasks).map(([task, value]) => [task, map(value, task)]));
}

const resizedTo = (x: Tensor, size: readonly [number, number]): Tensor =>
  interpolate(x, { mode: 'bilinear', size, alignCorners: false });

const sidesOf = (x: Tensor): readonly [number, number] => [x.shape[2]!, x.shape[3]!];

/** A module for each task, under the task's name. */
class TaskModules<M extends nn.Module> extends nn.Module {
  readonly #modules: PerTask<M>;

  constructor(modules: PerTask<M>) {
    super();
    this.#modules = modules;
    Object.assign(this, modules);
  }

  of(task: string): M {
    return this.#modules[task]!;
  }
}

/** A backbone for each modality; their features are added (the FFM of Erkent 2025). */
class Encoder extends nn.Module {
  readonly backbones: nn.ModuleList<HRNet>;
  readonly widths: FourScales<number>;
  readonly #operation: string;

  /** `operation` is the network that errors name. */
  constructor(operation: string, { backbone = 'w18-small-v2', modalities = [3] }: EncoderOptions) {
    super();
    this.#operation = operation;
    if (modalities.length === 0) {
      throw new ConfigError('the network needs a modality', {
        operation,
        argument: 'modalities',
        expected: 'channels of each modality, such as [3] or [3, 3]',
        given: '[]',
      });
    }
    this.backbones = new nn.ModuleList(modalities.map((inChannels) => new HRNet(backbone, { inChannels })));
    this.widths = this.backbones.at(0).widths;
  }

  forward(inputs: readonly Tensor[]): FourScales<Tensor> {
    if (inputs.length !== this.backbones.length) {
      throw new ConfigError('not as many inputs as modalities', {
        operation: this.#operation,
        argument: 'inputs',
        expected: String(this.backbones.length),
        given: String(inputs.length),
      });
    }
    const features = inputs.map((input, i) => this.backbones.at(i).features(input));
    return features.reduce((sum, own) => sum.map((map, s) => add(map, own[s]!)) as unknown as FourScales<Tensor>);
  }
}

/** The first prediction of a task at a scale. */
class InitialPrediction extends nn.Module {
  readonly refinement: nn.Sequential;
  readonly decoder: nn.Conv2d;

  constructor(inputs: number, width: number, outputs: number) {
    super();
    this.refinement = new nn.Sequential(new BasicBlock(inputs, width), new BasicBlock(width, width));
    this.decoder = new nn.Conv2d(width, outputs, 1);
  }
}

/** Squeeze and excitation (Hu et al. 2018): scales channels by what their means say. */
class SqueezeExcitation extends nn.Module {
  readonly squeeze: nn.Linear;
  readonly excite: nn.Linear;

  constructor(width: number) {
    super();
    const squeezed = Math.max(1, Math.floor(width / 16));
    this.squeeze = new nn.Linear(width, squeezed);
    this.excite = new nn.Linear(squeezed, width);
  }

  forward(x: Tensor): Tensor {
    const [batch, channels] = [x.shape[0]!, x.shape[1]!];
    const scale = sigmoid(this.excite.forward(relu(this.squeeze.forward(mean(x, [2, 3])))));
    return mul(x, reshape(scale, [batch, channels, 1, 1]));
  }
}

/** Feature propagation (FPM): what the tasks found at a scale, weighed against each other, is handed to the next finer one. */
class FeaturePropagation extends nn.Module {
  readonly non_linear: nn.Sequential;
  readonly shared: BasicBlock;
  readonly se: TaskModules<SqueezeExcitation>;
  readonly #pairing: FpmPairing;

  constructor(tasks: readonly string[], width: number, pairing: FpmPairing) {
    super();
    this.#pairing = pairing;
    const [all, narrow] = [tasks.length * width, Math.floor((tasks.length * width) / 4)];
    this.non_linear = new nn.Sequential(
      new BasicBlock(all, narrow),
      new BasicBlock(narrow, narrow),
      new nn.Conv2d(narrow, all, 1),
    );
    this.shared = new BasicBlock(all, width);
    this.se = new TaskModules(Object.fromEntries(tasks.map((task) => [task, new SqueezeExcitation(width)])));
  }

  forward(features: PerTask<Tensor>): PerTask<Tensor> {
    const maps = Object.values(features);
    const [batch, width, height, length] = maps[0]!.shape as [number, number, number, number];
    const all = concat(maps, 1); // (N, T c, h, w)
    const scores = this.non_linear.forward(all);
    const mask =
      this.#pairing === 'official'
        ? softmax(reshape(scores, [batch, width, maps.length, height, length]), 2)
        : softmax(reshape(scores, [batch, maps.length, width, height, length]), 1);
    const shared = this.shared.forward(mul(reshape(mask, all.shape), all)); // (N, c, h, w)
    return mapTasks(features, (own, task) => add(this.se.of(task).forward(shared), own));
  }
}

/** What one task may take from another: a convolution of its features, gated by a second one. */
class SpatialAttention extends nn.Module {
  readonly attention: nn.Conv2d;
  readonly conv: nn.Conv2d;

  constructor(width: number) {
    super();
    this.attention = new nn.Conv2d(width, width, 3, { padding: 1, bias: false });
    this.conv = new nn.Conv2d(width, width, 3, { padding: 1, bias: false });
  }

  forward(x: Tensor): Tensor {
    return mul(this.conv.forward(x), sigmoid(this.attention.forward(x)));
  }
}

/** Multi-modal distillation (MMDM) at one scale: to the features of each task those of all others, through attention, are added. */
class Distillation extends nn.Module {
  readonly self_attention: TaskModules<TaskModules<SpatialAttention>>;

  constructor(tasks: readonly string[], width: number) {
    super();
    const others = (task: string): TaskModules<SpatialAttention> => {
      const pairs = tasks.flatMap((other) => (other === task ? [] : [[other, new SpatialAttention(width)] as const]));
      return new TaskModules(Object.fromEntries(pairs));
    };
    this.self_attention = new TaskModules(Object.fromEntries(tasks.map((task) => [task, others(task)])));
  }

  forward(features: PerTask<Tensor>): PerTask<Tensor> {
    return mapTasks(features, (own, task) =>
      Object.entries(features)
        .filter(([other]) => other !== task)
        .reduce((sum, [other, map]) => add(sum, this.self_attention.of(task).of(other).forward(map)), own),
    );
  }
}

/** All scales at the size of the finest, joined, and two 1x1 convolutions (the feature aggregation of MTI-Net). */
class Head extends nn.Module {
  readonly last_layer: nn.Sequential;

  constructor(widths: FourScales<number>, outputs: number) {
    super();
    const joined = widths.reduce((sum, width) => sum + width);
    this.last_layer = new nn.Sequential(
      new nn.Conv2d(joined, joined, 1),
      new nn.BatchNorm2d(joined),
      new nn.ReLU(),
      new nn.Conv2d(joined, outputs, 1),
    );
  }

  /** Maps of the four scales to (N, outputs, H, W) of this size. */
  forward([finest, ...coarser]: FourScales<Tensor>, size: readonly [number, number]): Tensor {
    const own = sidesOf(finest);
    return tidy(() => {
      const joined = concat([finest, ...coarser.map((map) => resizedTo(map, own))], 1);
      return resizedTo(this.last_layer.forward(joined), size);
    });
  }
}

const takesMtiNet = takes('MtiNet', {
  options: requiredOptions<MtiNetOptions>({ ...encoderOptions, tasks: record, fpmPairing: text }, 'tasks'),
});

const takesForward = takes('MtiNet', { inputs: list });

/** MTI-Net for two or more dense tasks. With 40 classes and depth on one HRNet-W18-Small-v2 it has 8,578,179 parameters. */
export class MtiNet extends nn.Module {
  readonly encoder: Encoder;
  /** By scale, the finest first. */
  readonly initial: nn.ModuleList<TaskModules<InitialPrediction>>;
  /** Of scales 1 to 3: what is handed to the scale above. */
  readonly fpm: nn.ModuleList<FeaturePropagation>;
  readonly distillation: nn.ModuleList<Distillation>;
  readonly heads: TaskModules<Head>;
  readonly #tasks: PerTask<number>;

  constructor(...args: [options: MtiNetOptions]) {
    super();
    const [{ tasks, fpmPairing = 'official', ...encoder }] = takesMtiNet(args);
    oneOf('MtiNet', 'fpmPairing', fpmPairing, ['official', 'aligned']);
    const names = Object.keys(tasks);
    if (names.length < 2) {
      throw new ConfigError('there is nothing to distil between fewer than two tasks', {
        operation: 'MtiNet',
        argument: 'tasks',
        expected: 'outputs by task, such as { segmentation: 40, depth: 1 }',
        given: names.join(', ') || 'no task',
        hint: 'For one task use SingleTaskNet',
      });
    }
    this.#tasks = tasks;
    this.encoder = new Encoder('MtiNet', encoder);
    const { widths } = this.encoder;
    const initial = (width: number, s: number): TaskModules<InitialPrediction> =>
      new TaskModules(
        mapTasks(tasks, (outputs) => new InitialPrediction(width + (widths[s + 1] ?? 0), width, outputs)),
      );
    this.initial = new nn.ModuleList(widths.map(initial));
    this.fpm = new nn.ModuleList(widths.slice(1).map((width) => new FeaturePropagation(names, width, fpmPairing)));
    this.distillation = new nn.ModuleList(widths.map((width) => new Distillation(names, width)));
    this.heads = new TaskModules(mapTasks(tasks, (outputs) => new Head(widths, outputs)));
  }

  /** One tensor (N, C, H, W) per modality, H and W multiples of 32. */
  forward(...args: [inputs: readonly Tensor[]]): MtiNetOutput {
    const [inputs] = takesForward(args);
    const backbone = this.encoder.forward(inputs);
    const features: PerTask<Tensor>[] = [];
    const auxiliary: PerTask<Tensor>[] = [];
    let handed: PerTask<Tensor> | undefined;
    for (let s = backbone.length - 1; s >= 0; s--) {
      const map = backbone[s]!;
      const seen = (task: string): Tensor => (handed ? concat([map, resizedTo(handed[task]!, sidesOf(map))], 1) : map);
      const own = mapTasks(this.#tasks, (_, task) => this.initial.at(s).of(task).refinement.forward(seen(task)));
      features[s] = own; // (N, c_s, H / 2^(s + 2), W / 2^(s + 2)) by task
      auxiliary[s] = mapTasks(own, (feature, task) => this.initial.at(s).of(task).decoder.forward(feature));
      if (s > 0) handed = this.fpm.at(s - 1).forward(own);
    }
    const distilled = features.map((own, s) => this.distillation.at(s).forward(own));
    const predictions = mapTasks(this.#tasks, (_, task) => {
      const scales = distilled.map((own) => own[task]!) as unknown as FourScales<Tensor>;
      return this.heads.of(task).forward(scales, sidesOf(inputs[0]!));
    });
    return { predictions, auxiliary: auxiliary as unknown as FourScales<PerTask<Tensor>> };
  }
}

const takesSingleTask = takes('SingleTaskNet', {
  options: requiredOptions<SingleTaskOptions>({ ...encoderOptions, outputs: size, head: text }, 'outputs'),
});

const takesSingleForward = takes('SingleTaskNet', { inputs: list });

/** What SingleTaskNet gives for pictures (N, C, H, W). */
export interface SingleTaskOutput {
  /** (N, outputs, H, W). */
  readonly prediction: Tensor;
  /** First predictions (N, outputs, H / 2^(s + 2), W / 2^(s + 2)) of scale s = 0 to 3; none with the head 'fa'. */
  readonly auxiliary: readonly Tensor[];
}

/** The baseline of a single task: a backbone for each modality and MTI-Net's head. With 40 outputs it has 3,945,270 parameters. */
export class SingleTaskNet extends nn.Module {
  readonly encoder: Encoder;
  /** By scale, the finest first; of the head 'same' alone. */
  readonly initial: nn.ModuleList<InitialPrediction> | undefined;
  readonly head: Head;

  constructor(...args: [options: SingleTaskOptions]) {
    super();
    const [{ outputs, head = 'fa', ...encoder }] = takesSingleTask(args);
    oneOf('SingleTaskNet', 'head', head, ['fa', 'same']);
    this.encoder = new Encoder('SingleTaskNet', encoder);
    const { widths } = this.encoder;
    if (head === 'same') {
      this.initial = new nn.ModuleList(
        widths.map((width, s) => new InitialPrediction(width + (widths[s + 1] ?? 0), width, outputs)),
      );
    }
    this.head = new Head(widths, outputs);
  }

  /** One tensor (N, C, H, W) per modality, H and W multiples of 32, to (N, outputs, H, W). */
  forward(...args: [inputs: readonly Tensor[]]): Tensor {
    return this.predict(...args).prediction;
  }

  /** The prediction and those before it. */
  predict(...args: [inputs: readonly Tensor[]]): SingleTaskOutput {
    const [inputs] = takesSingleForward(args);
    const backbone = this.encoder.forward(inputs);
    const features: Tensor[] = [...backbone];
    const auxiliary: Tensor[] = [];
    for (let s = backbone.length - 1; this.initial && s >= 0; s--) {
      const { refinement, decoder } = this.initial.at(s);
      const map = backbone[s]!;
      const coarser = features[s + 1];
      features[s] = refinement.forward(coarser ? concat([map, resizedTo(coarser, sidesOf(map))], 1) : map);
      auxiliary[s] = decoder.forward(features[s]!); // (N, outputs, H / 2^(s + 2), W / 2^(s + 2))
    }
    const prediction = this.head.forward(features as unknown as FourScales<Tensor>, sidesOf(inputs[0]!));
    return { prediction, auxiliary };
  }
}
