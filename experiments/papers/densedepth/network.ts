// The network of a run: a backbone with DenseDepth's decoder and heads, or the toy network, fed with pictures from 0 to 255 in the
// scaling of the run.
import { manualSeed, type Parameter, type Random, type Tensor } from '../../../engine/index.ts';
import {
  type BackboneEntry,
  backbones,
  DenseDepth,
  type DenseDepthOutput,
  type InputScaling,
  makeBackbone,
  scalePictures,
  type Scales,
  type Taps,
  ToyDepth,
} from '../../../models/index.ts';
import { objectClasses } from '../../data/object-scenes.ts';
import type { TrainingSettings } from './settings.ts';

/** What the shapes of a network and its input follow from. */
export type NetworkSettings = Pick<
  TrainingSettings,
  'network' | 'scaling' | 'filters' | 'lastFilters' | 'dropout' | 'momentum'
>;

/** x / 255, for the network without a pretrained part. */
const unitRange: InputScaling = { order: 'rgb', mean: [0, 0, 0], deviation: [255, 255, 255] };

export class SceneNetwork {
  readonly module: DenseDepth | ToyDepth;
  readonly #scaling: InputScaling;
  readonly #entry: BackboneEntry | undefined;

  /** A network whose weights are those of a seed. */
  constructor({ network, scaling, filters, lastFilters, dropout, momentum }: NetworkSettings, seed: number) {
    manualSeed(seed);
    const classes = objectClasses.length;
    if (network === 'toy') {
      this.module = new ToyDepth({ classes, baseWidth: lastFilters, norm: { momentum: momentum.decoder } });
      this.#scaling = unitRange;
      return;
    }
    const entry: BackboneEntry = backbones[network];
    this.#entry = entry;
    this.#scaling = entry[scaling];
    const backbone = makeBackbone(network, { norm: { momentum: momentum.backbone } });
    const norm = { momentum: momentum.decoder };
    this.module = new DenseDepth(backbone, { classes, filters, lastFilters, dropout, norm });
  }

  /** Channels of the backbone's feature maps; the toy network has none to keep. */
  get widths(): Scales<number> | undefined {
    return this.module instanceof DenseDepth ? this.module.backbone.widths : undefined;
  }

  /** Feature maps of pictures (N, 3, H, W) from 0 to 255. */
  encode(pixels: Tensor): Taps {
    return this.#denseDepth.encode(scalePictures(pixels, this.#scaling));
  }

  /** Both heads on feature maps. */
  heads(taps: Taps, stream?: Random): DenseDepthOutput {
    return this.#denseDepth.heads(taps, stream);
  }

  /** Pictures (N, 3, H, W) from 0 to 255 to depth in metres (N, 1, H, W) and scores of classes. */
  forward(pixels: Tensor, stream?: Random): DenseDepthOutput {
    const x = scalePictures(pixels, this.#scaling);
    return this.module instanceof DenseDepth ? this.module.forward(x, stream) : this.module.forward(x);
  }

  get #denseDepth(): DenseDepth {
    return this.module as DenseDepth;
  }

  /** Trains decoder and heads alone; of the toy network everything. */
  freeze(): Parameter[] {
    if (this.module instanceof DenseDepth) this.module.freezeBackbone();
    return this.#trained();
  }

  /** Trains the upper part of the backbone too. */
  fineTune(): Parameter[] {
    const from = this.#entry?.fineTuneFrom;
    if (from !== undefined) this.#denseDepth.fineTuneFrom(from);
    return this.#trained();
  }

  #trained(): Parameter[] {
    return [...this.module.parameters()].filter((parameter) => parameter.requiresGrad);
  }
}
