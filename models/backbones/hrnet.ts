// HRNet (Wang et al. 2020) without its classifier: branches at 1/4, 1/8, 1/16 and 1/32 of the picture that exchange what they found after
// every module. Names are those of the authors' checkpoints.
import { takes } from '../../engine/call-check.ts';
import { oneOf } from '../../engine/checks.ts';
import { add, ConfigError, interpolate, nn, relu, type Tensor, tidy } from '../../engine/index.ts';
import { optionsWith, size, text } from '../../engine/parameters.ts';
import { initialised } from '../blocks.ts';
import { BasicBlock, Bottleneck } from './resnet.ts';

/** Sizes of an HRNet. */
interface HRNetVariant {
  /** Channels of the stem and of the bottlenecks, whose outputs are four times as wide. */
  readonly stem: number;
  /** Channels of the branches, the finest first. */
  readonly widths: readonly [number, number, number, number];
  /** Bottlenecks of stage 1. */
  readonly bottlenecks: number;
  /** Modules of stages 2, 3 and 4. */
  readonly modules: readonly [number, number, number];
  /** Basic blocks of each branch in a module. */
  readonly blocks: number;
}

const variants = {
  'w18-small-v2': { stem: 64, widths: [18, 36, 72, 144], bottlenecks: 2, modules: [1, 3, 2], blocks: 2 },
  w18: { stem: 64, widths: [18, 36, 72, 144], bottlenecks: 4, modules: [1, 4, 3], blocks: 4 },
  nano: { stem: 16, widths: [8, 16, 32, 64], bottlenecks: 1, modules: [1, 1, 1], blocks: 2 },
} as const satisfies Record<string, HRNetVariant>;

/** HRNet's published sizes with 18 channels in the finest branch, and a small one of ours for trainings in minutes. */
export type HRNetName = keyof typeof variants;

/** Options of HRNet. */
export interface HRNetOptions {
  /** Channels of the picture; default 3. */
  inChannels?: number;
}

/** Feature maps at 1/4, 1/8, 1/16 and 1/32 of the picture. */
export type FourScales<T> = readonly [T, T, T, T];

/** Pixels of the picture per pixel of the coarsest branch, along each axis. */
const COARSEST = 32;
const norm = { momentum: 0.01 } as const;

/** Convolution without bias, weights as Kaiming has them for the outputs: the authors' deviation of 0.001 hardly trains from scratch. */
const conv = (inputs: number, outputs: number, kernel: 1 | 3, stride = 1): nn.Conv2d =>
  initialised(
    new nn.Conv2d(inputs, outputs, kernel, { stride, padding: (kernel - 1) / 2, bias: false }),
    nn.kaimingNormal,
  );

const convNorm = (inputs: number, outputs: number, kernel: 1 | 3, stride = 1): nn.Sequential =>
  new nn.Sequential(conv(inputs, outputs, kernel, stride), new nn.BatchNorm2d(outputs, norm));

const convNormRelu = (inputs: number, outputs: number, stride = 1): nn.Sequential =>
  new nn.Sequential(conv(inputs, outputs, 3, stride), new nn.BatchNorm2d(outputs, norm), new nn.ReLU());

/** A residual block with the weights of `conv`. */
function withKaiming<M extends nn.Module>(block: M): M {
  for (const [, module] of block.namedModules()) if (module instanceof nn.Conv2d) initialised(module, nn.kaimingNormal);
  return block;
}

/** Modules by index, some of which are not there: a list with holes, as PyTorch keeps its None. */
class SparseList extends nn.Module {
  readonly #items: readonly ((nn.Module & nn.Layer) | undefined)[];

  constructor(items: readonly ((nn.Module & nn.Layer) | undefined)[]) {
    super();
    this.#items = items;
    items.forEach((item, i) => {
      if (item) Object.assign(this, { [i]: item });
    });
  }

  /** What module `index` makes of the map; the map itself where there is none. */
  apply(index: number, x: Tensor): Tensor {
    return this.#items[index]?.forward(x) ?? x;
  }
}

/** From branch j to the channels of branch i: 1x1 for a coarser j (resized afterwards), strided 3x3 convolutions for a finer one. */
function exchange(widths: readonly number[], i: number, j: number): nn.Sequential | undefined {
  const [to, from] = [widths[i]!, widths[j]!];
  if (i === j) return undefined;
  if (j > i) return convNorm(from, to, 1);
  const steps = Array.from({ length: i - j }, (_, k) =>
    k < i - j - 1 ? convNormRelu(from, from, 2) : convNorm(from, to, 3, 2),
  );
  return new nn.Sequential(...steps);
}

/** Residual blocks in each branch, then every branch is the sum of what all of them send it. */
class ExchangeModule extends nn.Module {
  readonly branches: nn.ModuleList<nn.Sequential>;
  readonly fuse_layers: nn.ModuleList<SparseList>;

  constructor(widths: readonly number[], blocks: number) {
    super();
    this.branches = new nn.ModuleList(
      widths.map((width) => {
        const layers = Array.from({ length: blocks }, () => withKaiming(new BasicBlock(width, width, { norm })));
        return new nn.Sequential(...layers);
      }),
    );
    this.fuse_layers = new nn.ModuleList(
      widths.map((_, i) => new SparseList(widths.map((_, j) => exchange(widths, i, j)))),
    );
  }

  forward(maps: readonly Tensor[]): Tensor[] {
    const found = maps.map((map, i) => this.branches.at(i).forward(map));
    return found.map((own, i) => {
      const size = [own.shape[2]!, own.shape[3]!] as const;
      return tidy(() => {
        const sent = found.map((map, j) => {
          const fitted = this.fuse_layers.at(i).apply(j, map);
          return j > i ? interpolate(fitted, { mode: 'bilinear', size, alignCorners: false }) : fitted;
        });
        return relu(sent.reduce((sum, term) => add(sum, term)));
      });
    });
  }
}

/** Fits the branches so far to the next stage's widths, and begins one that is half as fine. */
function transition(before: readonly number[], after: readonly number[]): SparseList {
  const last = before.length - 1;
  return new SparseList(
    after.map((width, i) => {
      // A new branch is a list of strided convolutions, here of one.
      if (i > last) return new nn.Sequential(convNormRelu(before[last]!, width, 2));
      return before[i] === width ? undefined : convNormRelu(before[i]!, width);
    }),
  );
}

const stage = (widths: readonly number[], modules: number, blocks: number): nn.ModuleList<ExchangeModule> =>
  new nn.ModuleList(Array.from({ length: modules }, () => new ExchangeModule(widths, blocks)));

const takesHRNet = takes('HRNet', { name: text, options: optionsWith<HRNetOptions>({ inChannels: size }) });

/** HRNet without a classifier; `w18-small-v2` has 3,860,720 parameters, `w18` 9,562,260, `nano` 362,912. */
export class HRNet extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  readonly layer1: nn.Sequential;
  readonly transition1: SparseList;
  readonly stage2: nn.ModuleList<ExchangeModule>;
  readonly transition2: SparseList;
  readonly stage3: nn.ModuleList<ExchangeModule>;
  readonly transition3: SparseList;
  readonly stage4: nn.ModuleList<ExchangeModule>;
  /** Channels of the four feature maps, the finest first. */
  readonly widths: FourScales<number>;

  constructor(...args: [name: HRNetName, options?: HRNetOptions]) {
    super();
    const [name, { inChannels = 3 } = {}] = takesHRNet(args);
    oneOf('HRNet', 'name', name, Object.keys(variants));
    const { stem, widths, bottlenecks, modules, blocks }: HRNetVariant = variants[name];
    this.widths = widths;
    this.conv1 = conv(inChannels, stem, 3, 2);
    this.bn1 = new nn.BatchNorm2d(stem, norm);
    this.conv2 = conv(stem, stem, 3, 2);
    this.bn2 = new nn.BatchNorm2d(stem, norm);
    const wide = Bottleneck.expansion * stem;
    const layers = Array.from({ length: bottlenecks }, (_, i) =>
      withKaiming(new Bottleneck(i === 0 ? stem : wide, stem, { norm })),
    );
    this.layer1 = new nn.Sequential(...layers);
    const two = widths.slice(0, 2);
    const three = widths.slice(0, 3);
    this.transition1 = transition([wide], two);
    this.stage2 = stage(two, modules[0], blocks);
    this.transition2 = transition(two, three);
    this.stage3 = stage(three, modules[1], blocks);
    this.transition3 = transition(three, widths);
    this.stage4 = stage(widths, modules[2], blocks);
  }

  /** Pictures (N, inChannels, H, W), H and W multiples of 32, to maps (N, widths[s], H / 2^(s + 2), W / 2^(s + 2)), s = 0 to 3. */
  features(x: Tensor): FourScales<Tensor> {
    const [height, width] = [x.shape[2]!, x.shape[3]!];
    if (height % COARSEST || width % COARSEST) {
      throw new ConfigError(`the sides must be multiples of ${COARSEST}`, {
        operation: 'HRNet',
        given: `${height} x ${width}`,
      });
    }
    const half = this.bn1.forward(this.conv1.forward(x), 'relu'); // (N, stem, H / 2, W / 2)
    const quarter = this.bn2.forward(this.conv2.forward(half), 'relu'); // (N, stem, H / 4, W / 4)
    let maps: Tensor[] = [this.layer1.forward(quarter)]; // (N, 4 stem, H / 4, W / 4)
    for (const [next, modules] of [
      [this.transition1, this.stage2],
      [this.transition2, this.stage3],
      [this.transition3, this.stage4],
    ] as const) {
      const last = maps.length - 1;
      maps = [...maps.map((map, i) => next.apply(i, map)), next.apply(last + 1, maps[last]!)];
      for (const module of modules) maps = module.forward(maps);
    }
    return maps as unknown as FourScales<Tensor>;
  }
}
