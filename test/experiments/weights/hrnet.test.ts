// HRNet's checkpoints: the authors' own names, in some files below `module.`, with a classifier that is left out.
import path from 'node:path';
import t from 'tap';
import { createDevice, saveCheckpoint, setDefaultDevice, type StateDict } from '../../../engine/index.ts';
import { importWeights } from '../../../experiments/index.ts';
import { HRNet } from '../../../models/index.ts';

setDefaultDevice(await createDevice('meta'));
const folder = t.testdir();
/** All entries in their shapes; what stands in them does not matter. */
const state: StateDict = new Map(
  [...new HRNet('w18-small-v2').namedState()].map(([key, { shape }]) => {
    const values = new Float32Array(shape.reduce((size, side) => size * side, 1));
    return [key, { shape, values }];
  }),
);
const entry = { shape: [2], values: Float32Array.of(1, 2) };

async function fileOf(name: string, content: StateDict): Promise<string> {
  const file = path.join(folder, `${name}.safetensors`);
  await saveCheckpoint(file, content, { metadata: { backbone: 'hrnet-w18-small-v2' } });
  return file;
}

t.test('with a prefix and a classifier', async (t) => {
  const named = [...state].map(([key, value]) => [`module.${key}`, value] as const);
  const head = [
    'incre_modules.0.0.conv1.weight',
    'downsamp_modules.0.0.bias',
    'final_layer.0.weight',
    'classifier.weight',
  ];
  const file = await fileOf('whole', new Map([...named, ...head.map((key) => [`module.${key}`, entry] as const)]));
  const { report } = await importWeights(file, 'hrnet-w18-small-v2');
  t.equal(report.loaded.length, state.size);
  t.equal(report.leftOut.length, head.length);
  t.same([report.missing, report.unexpected], [[], []]);
});

t.test('another file of the same name is told by what it holds', async (t) => {
  const file = await fileOf('small', state);
  await t.rejects(importWeights(file, 'hrnet-w18'), {
    name: 'DataError',
    message: /holds the weights of hrnet-w18-small-v2, not of hrnet-w18/,
  });
  const [first] = state.keys();
  const short = await fileOf('short', new Map([...state].filter(([key]) => key !== first)));
  await t.rejects(importWeights(short, 'hrnet-w18-small-v2'), {
    message: /lacks weights of hrnet-w18-small-v2: conv1\.weight, got 863 of 864 entries found/,
  });
});
