// Names of weights: what a checkpoint of torchvision or Keras calls the entry that a backbone here has under a name.
//
//   densenet169  denseblock1.denselayer2.norm1.weight  features.denseblock1...; Keras conv2_block2_0_bn/gamma
//   resnet50     layer1.0.downsample.0.weight          the same; Keras conv2_block1_0_conv/kernel
//   efficientnetv2-b0  4.0.block.1.0.weight            features.4...; Keras block4a_dwconv2/kernel
//   hrnet-w18          stage2.0.branches.0.0.conv1.weight  the same; its classifier is incre_modules, downsamp_modules and final_layer too
import { modernDenseNet, unwrapped } from '../../engine/io/weights/names.ts';
import { efficientNetV2 } from '../../models/index.ts';
import type { WeightsName } from './backbones.ts';

type Family = 'densenet' | 'resnet' | 'efficientnet';

/** Whose names a backbone has where it has not its authors' own; the small ones have no checkpoints but our own. */
const families: Readonly<Partial<Record<WeightsName, Family>>> = {
  densenet169: 'densenet',
  resnet50: 'resnet',
  'resnet50-keras': 'resnet',
  'efficientnetv2-b0': 'efficientnet',
};

const densenetLayers: readonly (readonly [pattern: RegExp, layer: (...groups: string[]) => string])[] = [
  [/^conv0$/, () => 'conv1_conv'],
  [/^norm0$/, () => 'conv1_bn'],
  [/^denseblock(\d)\.denselayer(\d+)\.norm(\d)$/, (b, l, k) => `conv${+b! + 1}_block${l}_${+k! - 1}_bn`],
  [/^denseblock(\d)\.denselayer(\d+)\.conv(\d)$/, (b, l, k) => `conv${+b! + 1}_block${l}_${k}_conv`],
  [/^transition(\d)\.norm$/, (b) => `pool${+b! + 1}_bn`],
  [/^transition(\d)\.conv$/, (b) => `pool${+b! + 1}_conv`],
  [/^norm5$/, () => 'bn'],
];

const resnetLayers: typeof densenetLayers = [
  [/^conv1$/, () => 'conv1_conv'],
  [/^bn1$/, () => 'conv1_bn'],
  [/^layer(\d)\.(\d+)\.conv(\d)$/, (s, i, k) => `conv${+s! + 1}_block${+i! + 1}_${k}_conv`],
  [/^layer(\d)\.(\d+)\.bn(\d)$/, (s, i, k) => `conv${+s! + 1}_block${+i! + 1}_${k}_bn`],
  [/^layer(\d)\.(\d+)\.downsample\.0$/, (s, i) => `conv${+s! + 1}_block${+i! + 1}_0_conv`],
  [/^layer(\d)\.(\d+)\.downsample\.1$/, (s, i) => `conv${+s! + 1}_block${+i! + 1}_0_bn`],
];

const { stages } = efficientNetV2.b0;

/** Layers of one block of Keras's EfficientNetV2 in order: a convolution and a batch norm each. */
const fusedWithoutExpansion = [['project_conv', 'project_bn']];
const fused = [['expand_conv', 'expand_bn'], ...fusedWithoutExpansion];
const mobile = [['expand_conv', 'expand_bn'], ['dwconv2', 'bn'], ['se_reduce', 'se_expand'], ...fusedWithoutExpansion];

function efficientnetBlockLayer(stage: string, block: string, part: string, member: string): string {
  const [isFused, expand] = stages[+stage - 1]!;
  const layers = isFused ? (expand === 1 ? fusedWithoutExpansion : fused) : mobile;
  return `block${stage}${String.fromCharCode(0x61 + +block)}_${layers[+part]![+member]!}`;
}

const efficientnetLayers: typeof densenetLayers = [
  [/^0\.0$/, () => 'stem_conv'],
  [/^0\.1$/, () => 'stem_bn'],
  [new RegExp(`^${stages.length + 1}\\.0$`), () => 'top_conv'],
  [new RegExp(`^${stages.length + 1}\\.1$`), () => 'top_bn'],
  [/^(\d)\.(\d+)\.block\.(\d)\.fc(\d)$/, (s, i, part, k) => efficientnetBlockLayer(s!, i!, part!, String(+k! - 1))],
  [/^(\d)\.(\d+)\.block\.(\d)\.(\d)$/, (s, i, part, k) => efficientnetBlockLayer(s!, i!, part!, k!)],
];

const kerasLayers = { densenet: densenetLayers, resnet: resnetLayers, efficientnet: efficientnetLayers };

const normVariables: Readonly<Record<string, string>> = {
  weight: 'gamma',
  bias: 'beta',
  running_mean: 'moving_mean',
  running_var: 'moving_variance',
};
const layerVariables: Readonly<Record<string, string>> = { weight: 'kernel', bias: 'bias' };

/** Layer and variable that Keras has for an entry of a backbone (`conv1_bn/gamma`), or undefined where it has none. */
export function kerasNameOf(backbone: WeightsName, entry: string): string | undefined {
  const family = families[backbone];
  const [, module = '', variable = ''] = /^(.*)\.([^.]+)$/.exec(entry) ?? [];
  for (const [pattern, layerOf] of family ? kerasLayers[family] : []) {
    const found = pattern.exec(module);
    if (!found) continue;
    const layer = layerOf(...found.slice(1));
    const name = (layer.endsWith('bn') ? normVariables : layerVariables)[variable];
    return name && `${layer}/${name}`;
  }
  return undefined;
}

/** The name that a backbone here has for an entry of a PyTorch checkpoint of its family. */
export function nameOfTorchEntry(backbone: WeightsName, entry: string): string {
  const plain = unwrapped(entry);
  switch (families[backbone]) {
    case 'densenet':
      return modernDenseNet(plain.replace(/^features\./, ''));
    case 'efficientnet':
      return plain.replace(/^features\./, '');
    default:
      return plain;
  }
}

/** Whether an entry belongs to what a backbone leaves out: the classifier on ImageNet's classes, and Keras's scaling of pictures. */
export const isLeftOut = (name: string): boolean =>
  /^(classifier|fc|incre_modules|downsamp_modules|final_layer)\./.test(name) ||
  /^(predictions|probs|fc1000|normalization|rescaling)\w*\//.test(name);
