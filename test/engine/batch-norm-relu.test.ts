// relu(batchNorm(x)) in one pass over memory: the same bits as the two operations, forward and backward, in training and for
// inference, and less memory.
import t, { type Test } from 'tap';
import {
  batchNorm,
  type BatchNormOptions,
  type Device,
  grad,
  gradgradcheck,
  mul,
  nn,
  random,
  relu,
  scope,
  setDefaultDevice,
  square,
  sum,
  tensor,
  type Tensor,
} from '../../engine/index.ts';
import { onEach, testedOn } from '../tested-on.ts';

const parts = testedOn('reference', 'wasm', 'webgpu');

const draws = (n: number, key: string): Float32Array => random(7, key).normalArray(n);

/** One pass, or two. */
type Form = (x: Tensor, options: BatchNormOptions) => Tensor;
const together: Form = (x, options) => batchNorm(x, { ...options, activation: 'relu' });
const apart: Form = (x, options) => relu(batchNorm(x, options));

/** Everything that comes of a forward and backward pass. */
async function resultsOf(form: Form, shape: number[], training: boolean): Promise<number[][]> {
  using _ = scope();
  const channels = shape[1]!;
  const size = shape.reduce((a, b) => a * b);
  const x = tensor(draws(size, 'x'), shape, { requiresGrad: true });
  // Channels of nothing but their bias, which is 0 in one of them.
  const weights = draws(channels, 'weight').map((value, i) => (i < 2 ? 0 : value));
  const weight = tensor(weights, [channels], { requiresGrad: true });
  const biases = draws(channels, 'bias').map((value, i) => (i === 0 ? 0 : value));
  const bias = tensor(biases, [channels], { requiresGrad: true });
  const running = [
    tensor(draws(channels, 'mean'), [channels]),
    tensor(new Float32Array(channels).fill(0.7), [channels]),
  ];
  const y = form(x, { weight, bias, runningMean: running[0], runningVar: running[1], training });
  sum(mul(y, tensor(draws(size, 'g'), shape))).backward();
  const all = [y, x.grad!, weight.grad!, bias.grad!, ...running];
  return Promise.all(all.map(async (each) => [...(await each.array())]));
}

const shapes = [
  [2, 3, 4, 4],
  [3, 5, 7],
  [16, 4, 32, 32],
  [5, 9],
  [1, 3, 20_001],
];

await onEach(t, parts, async (t, device, name) => {
  setDefaultDevice(device);
  for (const training of [true, false]) {
    for (const shape of shapes.slice(0, name === 'reference' ? 2 : undefined)) {
      const [one, two] = [await resultsOf(together, shape, training), await resultsOf(apart, shape, training)];
      t.same(one, two, `${shape.join(' x ')} ${training ? 'in training' : 'for inference'}: the same bits`);
      t.ok(two[0]!.includes(0) && two[0]!.some((value) => value > 0), 'of which some are 0 and some are not');
    }
  }

  const [weight, bias] = [tensor([1, 2]), tensor([0.5, -0.5])];
  const nan = batchNorm(tensor([1, NaN, 3, 4], [2, 2]), { weight, bias, training: true, activation: 'relu' });
  t.same([...(await nan.array())].map(Number.isNaN), [false, true, false, true], 'NaN comes through');
  for (const needed of [
    [true, false, false],
    [false, false, true],
    [false, true, false],
  ]) {
    const inputs = [draws(12, 'x'), [1, -2], [0.3, 0.1]].map((values, i) =>
      tensor(values, i === 0 ? [6, 2] : [2], { requiresGrad: needed[i]! }),
    ) as [Tensor, Tensor, Tensor];
    const gradientOf = async (form: Form) => {
      const y = form(inputs[0], { weight: inputs[1], bias: inputs[2], training: true });
      const [gradient] = grad(sum(square(y)), [inputs[needed.indexOf(true)]!]);
      return [...(await gradient!.array())];
    };
    t.same(await gradientOf(together), await gradientOf(apart), `gradient of input ${needed.indexOf(true)} alone`);
  }
  if (name === 'reference') {
    const f = (x: Tensor, w: Tensor, b: Tensor) => together(x, { weight: w, bias: b, training: true });
    const inputs = [tensor(draws(8, 'h'), [4, 2]), tensor([1.2, -0.7]), tensor([0.2, 0.4])] as const;
    for (const input of inputs) input.requiresGrad = true;
    t.same(await gradgradcheck(f, [...inputs]), [], 'gradients of gradients');
  }
  if (name === 'wasm') await layers(t, device);
});

async function layers(t: Test, device: Device): Promise<void> {
  const launches: string[] = [];
  const net = new nn.Sequential(new nn.BatchNorm2d(4), new nn.ReLU());
  class OwnRelu extends nn.ReLU {
    override forward(x: Tensor): Tensor {
      return super.forward(x);
    }
  }
  class OwnNorm extends nn.BatchNorm2d {
    override forward(x: Tensor): Tensor {
      return super.forward(x);
    }
  }
  const others = [
    new nn.Sequential(new nn.BatchNorm2d(4), new OwnRelu()),
    new nn.Sequential(new OwnNorm(4), new nn.ReLU()),
  ];
  for (const own of others) own.loadStateDict(await net.stateDict());
  const x = tensor(draws(4 * 4 * 8 * 8, 'image'), [4, 4, 8, 8]);
  device.observer = { before: (kernel) => void launches.push(kernel.name) };
  const [fused, ...plain] = [net, ...others].map((each) => each.forward(x));
  device.observer = undefined;
  for (const each of plain) t.same(await each.array(), await fused!.array());
  t.same(launches.filter((each) => each === 'unary').length, 2, 'what has a forward of its own is run by itself');
  t.throws(() => batchNorm(x, { activation: 'tanh' as 'relu', training: true }), /'relu'.*tanh|activation/s);
}
