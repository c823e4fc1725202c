// The paper's three backbones in small, for runs on a laptop: the same graphs, about a hundredth of the parameters.
import type { nn } from '../../engine/index.ts';
import { DenseNetFeatures } from './densenet.ts';
import { EfficientNetV2Features } from './efficientnet-v2.ts';
import { ResNetFeatures } from './resnet.ts';

/** Batch norm of all three, where short runs need faster averages than Keras's 0.99. */
export interface MiniBackboneOptions {
  norm?: nn.BatchNorm2dOptions;
}

/** Growth 12 from 24 channels, blocks of 3, 4, 6 and 6 layers: (N, 127, H / 32, W / 32) at the end. */
export const miniDenseNet = (options: MiniBackboneOptions = {}): DenseNetFeatures =>
  new DenseNetFeatures([3, 4, 6, 6], 12, options);

/** Bottlenecks of 12, 24, 48 and 96 planes, 1, 2, 2 and 1 of them, in Keras's form: 384 channels at the end. */
export const miniResNet = ({ norm }: MiniBackboneOptions = {}): ResNetFeatures =>
  new ResNetFeatures([1, 2, 2, 1], { stem: 24, planes: 12, bias: true, strideIn: 1, ...(norm && { norm }) });

/** A stem of 16 channels, five stages to 64, 192 channels at the end. */
export const miniEfficientNet = (options: MiniBackboneOptions = {}): EfficientNetV2Features =>
  new EfficientNetV2Features(
    {
      stem: 16,
      stages: [
        [true, 1, 3, 1, 16, 8, 1],
        [true, 4, 3, 2, 8, 16, 2],
        [true, 4, 3, 2, 16, 24, 2],
        [false, 4, 3, 2, 24, 40, 1],
        [false, 6, 3, 1, 40, 48, 1],
        [false, 6, 3, 2, 48, 64, 2],
      ],
      top: 192,
    },
    options,
  );
