// Options under the names that users of PyTorch, Keras or NumPy guess, or mistype, lead to ours.
import t from 'tap';
import * as w from '../../engine/index.ts';
import { nearestName } from '../../engine/nearest-name.ts';

t.test('what is meant', (t) => {
  const optimizer = ['lr', 'weightDecay', 'momentum', 'dampening', 'nesterov'];
  const meant: Readonly<Record<string, string | undefined>> = {
    learningRate: 'lr',
    learning_rate: 'lr',
    LR: 'lr',
    weight_decay: 'weightDecay',
    decay: 'weightDecay',
    wd: 'weightDecay',
    l2: 'weightDecay',
    momentun: 'momentum',
    nestrov: 'nesterov',
    use_nesterov: 'nesterov',
    colour: undefined,
    '': undefined,
    constructor: undefined,
  };
  for (const [given, name] of Object.entries(meant)) t.equal(nearestName(given, optimizer), name, given);
  t.equal(nearestName('meta', ['metadata']), 'metadata');
  t.equal(nearestName('x', []), undefined);
  t.end();
});

t.test('calls with the option of another library', async (t) => {
  const device = await w.createDevice('reference');
  t.teardown(() => device.dispose());
  w.setDefaultDevice(device);
  using _ = w.scope();
  const { weight } = new w.nn.Linear(2, 2);
  const [x, logits, target] = [w.ones([1, 2, 4, 4]), w.ones([1, 2]), w.tensor(Int32Array.of(1))];
  const wrong = (options: object): never => options as never;
  const calls: readonly (readonly [ours: string, call: () => unknown])[] = [
    ['lr', () => new w.SGD([weight], wrong({ learningRate: 0.1 }))],
    ['weightDecay', () => new w.AdamW([weight], wrong({ weight_decay: 0.1 }))],
    ['betas', () => new w.Adam([weight], wrong({ beta_1: 0.9 }))],
    ['eps', () => new w.Adam([weight], wrong({ epsilon: 1e-8 }))],
    ['reduction', () => w.mseLoss(x, x, wrong({ size_average: false }))],
    ['labelSmoothing', () => w.crossEntropy(logits, target, wrong({ label_smoothing: 0.1 }))],
    ['correction', () => w.variance(x, 1, wrong({ unbiased: false }))],
    ['keepdim', () => w.sum(x, 1, wrong({ keepdims: true }))],
    ['stride', () => w.maxPool2d(x, 2, wrong({ strides: 2 }))],
    ['bias', () => new w.nn.Conv2d(1, 2, 3, wrong({ use_bias: false }))],
    ['affine', () => new w.nn.GroupNorm(1, 2, wrong({ elementwise_affine: false }))],
    ['requiresGrad', () => w.zeros([1], wrong({ requires_grad: true }))],
    ['maxLr', () => w.oneCycleLR(wrong({ max_lr: 1, total_steps: 3 }))],
  ];
  for (const [ours, call] of calls) t.throws(call, { message: `Did you mean '${ours}'?` }, ours);
});
