// The dMTL U-Net: the parameter counts of its specification, names, shapes, and one step of training.
import t from 'tap';
import {
  createDevice,
  crossEntropy,
  manualSeed,
  mseLoss,
  ones,
  scope,
  setDefaultDevice,
  SGD,
  tensor,
  zeros,
} from '../../engine/index.ts';
import { Perceptron, UNet } from '../../models/index.ts';

setDefaultDevice(await createDevice('reference'));

const count = (modules: { parameterCount(): number }[]) => modules.reduce((sum, m) => sum + m.parameterCount(), 0);

t.test('parameter counts of the paper size', (t) => {
  const net = new UNet();
  const { encoder, decoder, classifier } = net.parts();
  t.equal(net.parameterCount(), 31_321_867);
  t.equal(count(encoder), 18_849_984);
  t.equal(count(decoder), 12_192_385);
  t.equal(count(classifier), 279_498);
  net.dispose();
  t.end();
});

t.test('parameter counts of the small sizes and of the toy networks', (t) => {
  t.equal(new UNet({ baseWidth: 8 }).parameterCount(), 537_267);
  t.equal(new UNet({ baseWidth: 16 }).parameterCount(), 2_026_651);
  t.equal(new Perceptron([1, 128, 128, 128, 128, 1]).parameterCount(), 49_921);
  t.equal(new Perceptron([1, 128, 128, 128, 128, 2]).parameterCount(), 50_050);
  t.equal(new Perceptron([2, 128, 128, 128, 128, 2]).parameterCount(), 50_178);
  t.end();
});

t.test('names are those of a torch state_dict', async (t) => {
  const keys = [...(await new UNet({ baseWidth: 1 }).stateDict()).keys()];
  t.same(keys.slice(0, 9), [
    'enc0.conv1.weight',
    'enc0.conv1.bias',
    'enc0.bn1.weight',
    'enc0.bn1.bias',
    'enc0.bn1.running_mean',
    'enc0.bn1.running_var',
    'enc0.bn1.num_batches_tracked',
    'enc0.conv2.weight',
    'enc0.conv2.bias',
  ]);
  t.same(keys.slice(-2), ['fc3.weight', 'fc3.bias']);
});

t.test('fewer levels, a flattened classifier and no batch norm', async (t) => {
  const three = new UNet({ baseWidth: 2, levels: 3 });
  const { depth, logits } = three.forward(zeros([1, 1, 12, 8]));
  t.same([depth.shape, logits.shape], [[1, 1, 12, 8], [1, 10]], 'sides that are multiples of 4 alone'); // prettier-ignore
  t.throws(() => three.encode(zeros([1, 1, 10, 8])), { name: 'ConfigError', message: /multiples of 4/ });
  const { encoder, decoder } = three.parts();
  t.same([encoder.length, decoder.length], [3, 5]);
  const flat = new UNet({ baseWidth: 2, flattened: 2 });
  t.equal(flat.fc1.weight.shape[1], 32 * 2 * 2);
  t.same(flat.forward(zeros([2, 1, 32, 32])).logits.shape, [2, 10]);
  const bare = new UNet({ baseWidth: 2, norm: false });
  t.notOk([...(await bare.stateDict()).keys()].some((key) => key.includes('.bn')));
  t.same(bare.forward(ones([1, 1, 16, 16])).depth.shape, [1, 1, 16, 16]);
  t.equal(new UNet({ norm: false }).parameterCount(), 31_310_091, 'the count of the specification');
  t.throws(() => new UNet({ levels: 6 }), { name: 'ConfigError', message: /3, 4 or 5/ });
});

t.test('a step lowers the loss, and the same seed gives the same bits', async (t) => {
  const train = async () => {
    manualSeed(3);
    const net = new UNet({ baseWidth: 2 });
    const optimizer = new SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) {
      using _ = scope();
      const { depth, logits } = net.forward(ones([2, 1, 16, 16]).add(tensor([0, 1], [2, 1, 1, 1])));
      t.same(depth.shape, [2, 1, 16, 16]);
      t.same(logits.shape, [2, 10]);
      const loss = crossEntropy(logits, tensor(Int32Array.of(3, 4), [2])).add(mseLoss(depth, zeros(depth.shape)));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push(await loss.item());
    }
    return losses;
  };
  const losses = await train();
  t.ok(losses[3]! < losses[0]!);
  t.same(await train(), losses);
});
