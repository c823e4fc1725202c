// VGG-16 with batch norm (Simonyan and Zisserman 2015) with torchvision's names.
import { takes } from '../../engine/call-check.ts';
import { adaptiveAvgPool2d, flatten, nn, relu, type Tensor } from '../../engine/index.ts';
import { optionsWith, size } from '../../engine/parameters.ts';

/** Channels of each convolution; 'pool' halves the image. */
const layers = [
  64,
  64,
  'pool',
  128,
  128,
  'pool',
  256,
  256,
  256,
  'pool',
  512,
  512,
  512,
  'pool',
  512,
  512,
  512,
  'pool',
] as const;

/** Options of Vgg16Bn. */
export interface Vgg16BnOptions {
  classes?: number;
}

const takesVgg16Bn = takes('Vgg16Bn', { options: optionsWith<Vgg16BnOptions>({ classes: size }) });

/** VGG-16 with batch normalisation, and the parameter names of torchvision. */
export class Vgg16Bn extends nn.Module {
  readonly features: nn.Sequential;
  readonly classifier: nn.Module;
  readonly #linear: readonly [nn.Linear, nn.Linear, nn.Linear];

  constructor(...args: [options?: Vgg16BnOptions]) {
    super();
    const [{ classes = 1000 } = {}] = takesVgg16Bn(args);
    let inputs = 3;
    const made = layers.flatMap((layer): (nn.Module & nn.Layer)[] => {
      if (layer === 'pool') return [new nn.MaxPool2d(2)];
      const convolution = new nn.Conv2d(inputs, layer, 3, { padding: 1 });
      inputs = layer;
      return [convolution, new nn.BatchNorm2d(layer), new nn.ReLU()];
    });
    this.features = new nn.Sequential(...made);
    this.#linear = [new nn.Linear(512 * 7 * 7, 4096), new nn.Linear(4096, 4096), new nn.Linear(4096, classes)];
    const [first, second, third] = this.#linear;
    // torchvision has relu and dropout between the linear layers; relus hold their places in the numbering.
    this.classifier = new nn.ModuleList([
      first,
      new nn.ReLU(),
      new nn.ReLU(),
      second,
      new nn.ReLU(),
      new nn.ReLU(),
      third,
    ]);
  }

  /** Class scores (N, classes). */
  forward(x: Tensor): Tensor {
    const [first, second, third] = this.#linear;
    const pooled = flatten(adaptiveAvgPool2d(this.features.forward(x), 7), 1);
    return third.forward(relu(second.forward(relu(first.forward(pooled)))));
  }
}
