// Building blocks shared by the networks.
import { nn, relu, type Tensor } from '../engine/index.ts';

/** (conv 3x3 padding 1, batch norm, relu) twice, keeping the image size. */
export class DoubleConv extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;

  constructor(inputs: number, outputs: number, { bias = true } = {}) {
    super();
    this.conv1 = new nn.Conv2d(inputs, outputs, 3, { padding: 1, bias });
    this.bn1 = new nn.BatchNorm2d(outputs);
    this.conv2 = new nn.Conv2d(outputs, outputs, 3, { padding: 1, bias });
    this.bn2 = new nn.BatchNorm2d(outputs);
  }

  forward(x: Tensor): Tensor {
    x = relu(this.bn1.forward(this.conv1.forward(x)));
    return relu(this.bn2.forward(this.conv2.forward(x)));
  }
}
