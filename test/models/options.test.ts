// Networks and the functions of the experiments refuse options that are not there, with the nearest name.
import t from 'tap';
import { ConfigError, createDevice, setDefaultDevice, WgradError } from '../../engine/index.ts';
import { declaredSignatures } from '../../engine/parameters.ts';
import * as experiments from '../../experiments/index.ts';
import { isClass } from '../../experiments/verification/operations/torch.ts';
import * as models from '../../models/index.ts';
import { type Call, optionsOf, thrownBy } from '../engine/misuse.ts';

setDefaultDevice(await createDevice('meta'));

/** What stands before the options of a network. */
const before: Readonly<Record<string, readonly unknown[]>> = {
  BasicBlock: [2, 2],
  Bottleneck: [2, 2],
  CrossStitch: [2, undefined],
  DenseBlock: [1, 2, 2, 4],
  DenseDepth: [models.makeBackbone('mini-densenet')],
  DenseLayer: [2, 2, 4],
  DenseNet: [121],
  DenseNetFeatures: [[1, 1], 2],
  DoubleConv: [1, 2],
  EfficientNetV2Features: [models.efficientNetV2.b0],
  HRNet: ['w18'],
  MaskDecoder: [[2, 3]],
  ResNet: [18],
  ResNetFeatures: [18],
};

const networks = Object.entries(models).flatMap(([name, value]) => {
  const signature = isClass(value) ? declaredSignatures().get(name) : undefined;
  const options = signature && optionsOf(signature);
  return options
    ? [{ name, options, make: (...args: unknown[]) => new (value as new (...args: unknown[]) => unknown)(...args) }]
    : [];
});

t.test('networks', async (t) => {
  t.ok(networks.length >= 15, `${networks.length} networks take options`);
  for (const { name, options, make } of networks) {
    const leading = before[name] ?? [];
    t.equal(leading.length, options.place, `${name}: what stands before the options`);
    for (const wrong of ['baseWidht', 'num_classes', options.names[0]!.toUpperCase()]) {
      if (options.names.includes(wrong)) continue;
      const error = await thrownBy(make, [...leading, { [wrong]: 1 }]);
      const isRefused = error instanceof ConfigError && error.details.operation === name;
      t.ok(
        isRefused && error.details.argument === wrong && error.details.expected,
        `${name}, ${wrong}: ${String(error)}`,
      );
    }
    for (const bad of [null, 3, true]) {
      const error = await thrownBy(make, [...leading, bad]);
      t.ok(error instanceof ConfigError && error.details.operation === name, `${name}, ${String(bad)}`);
    }
    const error = await thrownBy(make, [...leading, {}, 'surplus']);
    t.ok(error instanceof WgradError, `${name}, surplus`);
  }
  await t.rejects(async () => new models.ResNet(42 as 18), { name: 'ConfigError', message: /18 or 34/ });
});

t.test('experiments', async (t) => {
  const call = (name: string, ...args: unknown[]) =>
    thrownBy((experiments as unknown as Record<string, Call>)[name]!, args);
  const rows: readonly (readonly [name: string, wrong: string, near: string, ...args: unknown[]])[] = [
    ['fetchDataSet', 'idle_limit', 'idleLimit', 'mnist', 'none', { idle_limit: 1 }],
    ['fetchFiles', 'origins', 'origin', {}, 'none', { origins: 'x' }],
    ['runGolden', 'familly', 'family', 'none', { familly: 'x' }],
    ['addNoise', 'sise', 'size', new Float32Array(1), { sise: 1 }, {}],
  ];
  for (const [name, wrong, near, ...args] of rows) {
    const error = await call(name, ...args);
    t.ok(error instanceof ConfigError, `${name}: ${String(error)}`);
    t.match((error as ConfigError).details, { operation: name, argument: wrong, hint: `Did you mean '${near}'?` });
  }
  t.end();
});
