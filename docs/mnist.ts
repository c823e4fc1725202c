// MNIST, from its four files to above 99 % of the test digits, with public names alone. DIR is where `wgrad data fetch mnist` has
// put them; without more arguments it takes three epochs over all digits:
//
//   node .config/build.mjs docs/mnist.ts && node dist/docs/mnist.js DIR [EPOCHS] [DIGITS]
import { AdamW, applySchedule, createDevice, crossEntropy, manualSeed, nn, noGrad, oneCycleLR } from 'wgrad';
import { random, scope, setDefaultDevice, tensor } from 'wgrad';
import { readIdx } from 'wgrad/experiments';

const [folder = 'data/mnist', epochs = 3, digits = 60_000] = process.argv.slice(2);

async function load(name: string) {
  const { values: pixels } = await readIdx(`${folder}/${name}-images-idx3-ubyte.gz`, 3);
  const { values: labels } = await readIdx(`${folder}/${name}-labels-idx1-ubyte.gz`, 1);
  const image = (i: number) => pixels.subarray(784 * i, 784 * (i + 1));
  const batch = (indices: Int32Array) => ({
    x: tensor(Array.from(indices, image)).reshape([-1, 1, 28, 28]).div(255),
    target: tensor(indices.map((i) => labels[i]!)),
  });
  return { count: Math.min(labels.length, Number(digits)), batch };
}
const chunks = (order: Int32Array, size: number) =>
  Array.from({ length: Math.ceil(order.length / size) }, (_, k) => order.subarray(size * k, size * (k + 1)));
const block = (from: number, to: number) => [
  new nn.Conv2d(from, to, 3, { padding: 1, bias: false }),
  ...[new nn.BatchNorm2d(to), new nn.ReLU(), new nn.MaxPool2d(2)],
];

setDefaultDevice(await createDevice('auto'));
manualSeed(1);
const [train, test] = [await load('train'), await load('t10k')];
const features = [...block(1, 16), ...block(16, 32), ...block(32, 64), new nn.Flatten()];
const model = new nn.Sequential(...features, new nn.Dropout(0.2), new nn.Linear(64 * 3 * 3, 10));
const optimizer = new AdamW(model.parameters(), { weightDecay: 0.01 });
const steps = Math.ceil(train.count / 64);
const schedule = oneCycleLR({ maxLr: 0.01, totalSteps: steps * Number(epochs) });

for (let epoch = 0; epoch < Number(epochs); epoch++) {
  model.train();
  for (const [step, indices] of chunks(random(1, 'order', epoch).permutation(train.count), 64).entries()) {
    using _step = scope(); // what a step makes is released at its end
    const { x, target } = train.batch(indices);
    applySchedule(optimizer, schedule, epoch * steps + step);
    optimizer.zeroGrad();
    crossEntropy(model.forward(x), target).backward();
    optimizer.step();
  }
  model.eval();
  let right = 0;
  for (const indices of chunks(
    Int32Array.from({ length: test.count }, (_, i) => i),
    500,
  )) {
    using _batch = scope();
    const { x, target } = test.batch(indices);
    right += await noGrad(() => model.forward(x).argmax(1).eq(target).cast('float32').sum()).item();
  }
  console.log(`epoch ${epoch + 1}: ${((100 * right) / test.count).toFixed(2)} % of ${test.count} test digits`);
}
