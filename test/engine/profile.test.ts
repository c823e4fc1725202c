// The profiler: every launch has its layer, operation and pass, times add up, the trace can be read, and nothing
// of it is left when it is off.
import t, { type Test } from 'tap';
import {
  add,
  checkpoint,
  chromeTrace,
  ConfigError,
  crossEntropy,
  type Device,
  gradEnabled,
  manualSeed,
  mseLoss,
  nn,
  noGrad,
  type Profile,
  profiled,
  Profiler,
  region,
  relu,
  type Parameter,
  scope,
  setDefaultDevice,
  SGD,
  summarize,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { Perceptron, UNet } from '../../models/index.ts';
import { onEach, testedOn } from '../tested-on.ts';

const OUTSIDE = '(outside of modules)';
const SIZE = 16;
const BATCH = 2;

/** A small U-Net with one optimiser and its training step. Disposes of itself with `dispose`. */
function smallNetwork(): { model: UNet; step: () => Tensor; dispose: () => void } {
  manualSeed(5);
  const model = new UNet({ inChannels: 1, classes: 3, baseWidth: 2 });
  const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const pixels = Float32Array.from({ length: BATCH * SIZE * SIZE }, (_, i) => Math.sin(i));
  const [x, depth] = [pixels, pixels.map(Math.abs)].map((values) => tensor(values, [BATCH, 1, SIZE, SIZE]));
  const label = tensor(Int32Array.of(2, 0));
  return {
    model,
    step() {
      const output = model.forward(x!);
      const loss = add(crossEntropy(output.logits, label), mseLoss(output.depth, depth!));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
    dispose() {
      model.dispose();
      optimizer.dispose();
      [x, depth, label].forEach((each) => each!.dispose());
    },
  };
}

const STEPS = 2;

async function profileSteps(
  device: Device,
): Promise<{ profile: Profile; model: UNet; losses: number[]; launches: number }> {
  const { model, step, dispose } = smallNetwork();
  const losses: number[] = [];
  const before = device.statistics().launches;
  const { profile } = await profiled(async (profiler) => {
    for (let i = 0; i < STEPS; i++) {
      using _step = scope();
      const loss = step();
      await profiler.step();
      losses.push(await loss.item());
      profiler.skip();
    }
  });
  const launches = device.statistics().launches - before;
  dispose();
  return { profile, model, losses, launches };
}

async function testProfiler(test: Test, device: Device): Promise<void> {
  setDefaultDevice(device);
  const { profile, model, losses, launches } = await profileSteps(device);
  const summary = summarize(profile);

  await test.test('a launch has a layer, an operation and a pass', (t) => {
    t.equal(profile.launches.length, launches, 'all launches are there');
    t.equal(profile.steps.length, STEPS);
    t.equal(summary.step.launches, launches / STEPS);
    const passesOf = (layer: string): Set<string> =>
      new Set(profile.launches.filter((launch) => launch.layer === layer).map(({ pass }) => pass));
    for (const [path, module] of model.namedModules()) {
      const isLeaf = module instanceof nn.Conv2d || module instanceof nn.BatchNorm2d || module instanceof nn.Linear;
      const isUpsampling = module instanceof nn.ConvTranspose2d;
      if (!isLeaf && !isUpsampling) continue;
      t.same([...passesOf(path)].sort(), ['backward', 'forward'], path);
    }
    const own = 'pooling, joining and what updates parameters of several layers at once belong to the network itself';
    t.same([...passesOf('UNet')].sort(), ['backward', 'forward', 'update'], own);
    const outside = profile.launches.filter(({ layer }) => layer === OUTSIDE);
    t.same(
      outside.filter(({ pass }) => pass === 'update'),
      [],
      'updates belong to modules',
    );
    const loss = /crossEntropy|mse|sub|square|mean|sum|add|affine|mul|fill|start/i;
    t.same(
      outside.filter(({ operation }) => !loss.test(operation)),
      [],
      'outside of modules there are the losses only',
    );
    const convolution = profile.launches.find(({ layer, pass }) => layer === 'enc1.conv2' && pass === 'backward');
    t.match(convolution, { operation: 'conv2d', kernel: /conv2d/ }, 'backward goes by the operation of its node');
    t.ok(profile.launches.every(({ bytes, flops }) => bytes > 0 && flops >= 0));
    t.end();
  });

  await test.test('times and bytes add up', (t) => {
    t.equal(profile.clock, device.launchClock);
    const { milliseconds, kernelMilliseconds, submits } = summary.step;
    if (profile.clock === 'none') t.notOk(profile.launches.some((launch) => launch.milliseconds !== undefined));
    else {
      t.ok(kernelMilliseconds > 0);
      t.ok(kernelMilliseconds <= milliseconds, `${kernelMilliseconds} ms of kernels in a step of ${milliseconds} ms`);
      t.ok(profile.launches.every((launch) => launch.milliseconds! >= 0));
      t.ok(profile.clockStep! > 0 && profile.clockStep! < milliseconds);
    }
    const sums = [summary.kernels, summary.layers, summary.operations, summary.passes].map((rows) => [
      rows.reduce((sum, row) => sum + row.milliseconds, 0),
      rows.reduce((sum, row) => sum + row.launches, 0),
    ]);
    for (const [time, count] of sums) {
      t.ok(Math.abs(time! - kernelMilliseconds) <= 1e-9 * (1 + kernelMilliseconds));
      t.ok(Math.abs(count! - summary.step.launches) < 1e-9);
    }
    t.same(
      summary.passes.map(({ name }) => name),
      ['forward', 'backward', 'update'],
    );
    t.ok(submits >= 1 && submits <= summary.step.launches);
    const { peakBytes, firstBytes, lastBytes } = summary.memory;
    t.ok(peakBytes > firstBytes && peakBytes > lastBytes, 'memory rises and falls within a step');
    t.end();
  });

  await test.test('the trace', (t) => {
    const { traceEvents } = JSON.parse(
      JSON.stringify(chromeTrace({ 'first run': profile, again: profile })),
    ) as ReturnType<typeof chromeTrace>;
    t.same([...new Set(traceEvents.map(({ pid }) => pid))], [1, 2], 'a process for each profile');
    t.match(traceEvents[0], { ph: 'M', args: { name: /^first run \(/ } });
    const spans = traceEvents.filter(({ ph, pid }) => ph === 'X' && pid === 1);
    t.ok(spans.every(({ ts, dur }) => Number.isFinite(ts) && dur! >= 0));
    t.equal(spans.filter(({ tid }) => tid === 4).length, launches);
    t.equal(spans.filter(({ tid }) => tid === 1).length, STEPS);
    t.ok(spans.some(({ tid, name, cat }) => tid === 3 && name === 'dec0.bn1' && cat === 'backward'));
    const layers = spans.filter(({ tid }) => tid === 3);
    const crossing = layers.filter((a) =>
      layers.some((b) => a.ts < b.ts && b.ts < a.ts + a.dur! && a.ts + a.dur! < b.ts + b.dur!),
    );
    t.same(crossing, [], 'layers lie within one another or apart');
    t.equal(traceEvents.filter(({ ph, pid }) => ph === 'C' && pid === 1).length, launches);
    t.end();
  });

  await test.test('it changes no bit and leaves nothing behind', async (t) => {
    const methods = Object.getOwnPropertyDescriptors(UNet.prototype);
    const again = smallNetwork();
    const plain: number[] = [];
    for (let i = 0; i < STEPS; i++) {
      using _step = scope();
      const loss = again.step();
      t.equal(loss.node!.layer, undefined, 'nodes remember no layer');
      plain.push(await loss.item());
    }
    again.dispose();
    t.same(losses, plain);
    t.equal(device.observer, undefined);
    await profileSteps(device);
    t.same(Object.getOwnPropertyDescriptors(UNet.prototype), methods);
  });

  await test.test('what a checkpoint computes again is backward, of the same layers', async (t) => {
    const network = new Perceptron([3, 4, 2]);
    const { profile } = await profiled(
      () => {
        using _step = scope();
        checkpoint((x: Tensor) => network.forward(x), tensor([[1, 2, 3]]))
          .sum()
          .backward();
      },
      { modules: { mlp: network } },
    );
    const products = profile.launches.filter(
      ({ operation, layer }) => /matmul|linear/i.test(operation) && layer !== OUTSIDE,
    );
    for (const layer of ['layers.0', 'layers.1']) {
      const own = products.filter((launch) => launch.layer === layer);
      t.equal(own.filter(({ pass }) => pass === 'forward').length, 1, `${layer} forward`);
      t.ok(own.filter(({ pass }) => pass === 'backward').length > 2, `${layer} backward, with one forward pass more`);
    }
    t.ok(profile.launches.some(({ layer, operation }) => layer === 'mlp' && /relu|tanh|sigmoid/.test(operation)));
    network.dispose();
  });

  await test.test('names, gradients that add up, work without gradients, regions', async (t) => {
    const [first, second] = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
    const { profile, value } = await profiled(async (profiler) => {
      using _all = scope();
      const x = tensor([[1, 2]]);
      noGrad(() => x.sum());
      profiler.skip();
      for (let i = 0; i < 2; i++)
        second
          .forward(relu(first.forward(x)))
          .sum()
          .backward();
      await region('data', () => new Promise((resolve) => setTimeout(resolve, 20)));
      await profiler.step();
      return 'value';
    });
    t.equal(value, 'value');
    const { layers, step, passes } = summarize(profile);
    t.same(layers.map(({ name }) => name).sort(), [OUTSIDE, 'Linear', 'Linear (2)']);
    t.ok(profile.launches.some(({ operation, layer }) => operation === 'accumulate' && layer === 'Linear (2)'));
    t.equal(profile.launches[0]!.pass, 'other', 'outside of modules and without gradients');
    t.same(
      passes.map(({ name }) => name),
      ['forward', 'backward'],
      'what was skipped is in no step',
    );
    t.equal(step.dataWaits, 1);
    t.ok(step.dataMilliseconds > 15 && step.dataMilliseconds <= step.milliseconds);
    first.dispose();
    second.dispose();
  });

  await test.test('an update belongs to the innermost module around all of its parameters', async (t) => {
    const network = new Perceptron([2, 3, 1]);
    const other = new nn.Linear(2, 2);
    const layersOf = async (parameters: readonly Parameter[]): Promise<string[]> => {
      const optimizer = new SGD(parameters, { lr: 0.1 });
      const { profile } = await profiled(
        () => {
          using _step = scope();
          const x = tensor([[1, 2]]);
          add(network.forward(x).sum(), other.forward(x).sum()).backward();
          optimizer.step();
        },
        { modules: { network, other } },
      );
      optimizer.dispose();
      return profile.launches.filter(({ pass }) => pass === 'update').map(({ layer }) => layer);
    };
    const [first, second] = network.layers;
    t.same(await layersOf(first!.parameters()), ['network.layers.0']);
    t.same(await layersOf([first!.weight, second!.weight]), ['network.layers']);
    t.same(await layersOf([first!.weight, other.weight]), [OUTSIDE], 'there is none');
    network.dispose();
    other.dispose();
  });

  await test.test('one at a time, and errors end it', async (t) => {
    const profiler = new Profiler();
    t.throws(() => new Profiler(), ConfigError);
    const whole = await profiler.stop();
    t.same(whole.launches, []);
    t.equal(whole.steps.length, 1);
    t.same(summarize(whole).kernels, []);
    await t.rejects(profiler.stop(), ConfigError);
    await t.rejects(
      profiled(() => {
        throw new TypeError('inside');
      }),
      { message: 'inside' },
    );
    t.equal(device.observer, undefined);
    t.ok(gradEnabled());
    await profiled(() => undefined);
  });
}

// The meta device has no clock.
await onEach(t, testedOn('reference', 'wasm', 'meta', 'webgpu'), testProfiler);
