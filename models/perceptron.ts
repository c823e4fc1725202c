// Fully connected network with relu between its layers: the toy problem of imbalanced MTL uses four hidden layers of 128.
import { takes } from '../engine/call-check.ts';
import { nn, relu, type Tensor } from '../engine/index.ts';
import { wholeNumbers } from '../engine/parameters.ts';

const takesPerceptron = takes('Perceptron', { sizes: wholeNumbers });

/** Linear layers with relu between them. */
export class Perceptron extends nn.Module {
  readonly layers: nn.ModuleList<nn.Linear>;

  /** Sizes from inputs to outputs, for example [1, 128, 128, 128, 128, 1]. */
  constructor(...args: [sizes: readonly number[]]) {
    super();
    const [sizes] = takesPerceptron(args);
    this.layers = new nn.ModuleList(sizes.slice(1).map((outputs, i) => new nn.Linear(sizes[i]!, outputs)));
  }

  /** (N, inputs) to (N, outputs). */
  forward(x: Tensor): Tensor {
    for (let i = 0; i < this.layers.length; i++) {
      x = this.layers.at(i).forward(x);
      if (i < this.layers.length - 1) x = relu(x);
    }
    return x;
  }
}
