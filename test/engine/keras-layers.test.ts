// What layers do as Keras's where that is asked for: initial values, and the running variance of batch norm; and modules that
// keep a part of themselves in inference mode.
import t from 'tap';
import { createDevice, manualSeed, nn, random, scope, setDefaultDevice, tensor } from '../../engine/index.ts';

setDefaultDevice(await createDevice('reference'));

const moments = (values: Float32Array): { mean: number; deviation: number; most: number } => {
  let [sum, squares, most] = [0, 0, 0];
  for (const v of values) {
    sum += v;
    squares += v * v;
    most = Math.max(most, Math.abs(v));
  }
  const mean = sum / values.length;
  return { mean, deviation: Math.sqrt(squares / values.length - mean ** 2), most };
};

t.test('initial values', (t) => {
  for (const [shape, fanIn, fanOut] of [
    [[64, 128], 128, 64],
    [[32, 48, 3, 3], 48 * 9, 32 * 9],
    [[200, 7, 5, 1], 35, 1000],
  ] as const) {
    manualSeed(11);
    const bound = Math.sqrt(6 / (fanIn + fanOut));
    const uniform = moments(nn.glorotUniform(shape));
    t.ok(uniform.most <= bound && uniform.most > 0.995 * bound, `glorotUniform ${shape.join(' x ')}: ${uniform.most}`);
    t.ok(Math.abs(uniform.deviation / (bound / Math.sqrt(3)) - 1) < 0.03 && Math.abs(uniform.mean) < 0.03 * bound);
    const deviation = Math.sqrt(2 / fanIn);
    const normal = moments(nn.heNormal(shape));
    t.ok(Math.abs(normal.deviation / deviation - 1) < 0.03, `heNormal ${shape.join(' x ')}: ${normal.deviation}`);
    t.ok(Math.abs(normal.mean) < 0.05 * deviation);
    // Two deviations of the normal before the cut.
    const cut = (2 * deviation) / 0.8796256610342398;
    t.ok(normal.most <= cut * (1 + 1e-6) && normal.most > 0.98 * cut, 'cut off at two deviations');
  }
  manualSeed(11);
  const first = nn.heNormal([3, 5]);
  manualSeed(11);
  t.same(nn.heNormal([3, 5]), first, 'the seed decides');
  t.end();
});

t.test('the running variance of a batch, unbiased or not', async (t) => {
  using _ = scope();
  const [batch, side] = [3, 2];
  const values = random(5, 'x').normalArray(batch * side * side);
  const n = values.length;
  const mean = values.reduce((sum, v) => sum + v, 0) / n;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  for (const correction of [undefined, 0, 1]) {
    const norm = new nn.BatchNorm2d(1, { momentum: 0.25, ...(correction === undefined ? {} : { correction }) });
    norm.forward(tensor(values, [batch, 1, side, side]));
    const expected = 0.75 + (0.25 * squares) / (n - (correction ?? 1));
    t.ok(Math.abs((await norm.running_var.array())[0]! - expected) < 1e-7, `correction ${correction}`);
    t.ok(Math.abs((await norm.running_mean.array())[0]! - 0.25 * mean) < 1e-7);
  }
  t.throws(() => new nn.BatchNorm2d(1, { correction: 2 }), { name: 'ConfigError', message: /correction/ });
});

/** Its norm never trains. */
class Frozen extends nn.Module {
  readonly norm = new nn.BatchNorm2d(2);
  readonly conv = new nn.Conv2d(2, 2, 1);

  override train(...args: [on?: boolean]): this {
    super.train(...args);
    this.norm.train(false);
    return this;
  }
}

t.test('train() asks each module below', (t) => {
  const frozen = new Frozen();
  const net = new nn.Sequential(new nn.Conv2d(2, 2, 1), new nn.BatchNorm2d(2));
  const all = new nn.ModuleList<nn.Module>([net, frozen, new nn.ModuleList([frozen])]);
  t.equal(all.train(), all);
  const modes = () => [...all.namedModules()].map(([name, { training }]) => [name, training] as const);
  t.same(
    modes().filter(([, training]) => !training),
    [
      ['1.norm', false],
      ['2.0.norm', false],
    ],
  );
  t.ok(all.eval() && modes().every(([, training]) => !training));
  t.ok(all.train(true).training && frozen.conv.training && !frozen.norm.training);
  t.end();
});
