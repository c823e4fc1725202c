// Weights that PyTorch saved give PyTorch's feature maps here, in whichever form they were saved.
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import t from 'tap';
import {
  createDevice,
  noGrad,
  readCheckpoint,
  scope,
  setDefaultDevice,
  type StateDict,
  type Tensor,
} from '../../../engine/index.ts';
import { type Backbone, makeBackbone, type Taps } from '../../../models/index.ts';
import { importWeights, loadBackbone } from '../../../experiments/index.ts';
import { asTensor, type Entry, pythonWith, relativeError } from '../../models/torch-fixture.ts';
import { repositoryRoot } from '../../shared-data.ts';

const execute = promisify(execFile);
const script = path.join(repositoryRoot(), 'test/experiments/weights/weights_torch.py');
const python = await pythonWith('torch, torchvision');
const wasm = await createDevice('wasm');

/** The largest relative error of a feature map. */
async function worstTap(backbone: Backbone, expected: ReadonlyMap<string, Entry>): Promise<number> {
  using _ = scope();
  backbone.eval();
  const taps = noGrad(() => backbone.taps(asTensor(expected.get('x')!)));
  let worst = 0;
  for (const [name, tap] of Object.entries(taps) as [keyof Taps, Tensor][]) {
    worst = Math.max(worst, relativeError(await tap.array(), expected.get(name)!.values));
  }
  return worst;
}

/** Entries that are not the same, but for the counts of batches, which old files lack. */
const differing = (state: StateDict, other: StateDict): string[] =>
  [...state.keys()].filter(
    (key) => !key.endsWith('num_batches_tracked') && !isDeepStrictEqual(state.get(key), other.get(key)),
  );

const skip = python ? false : 'no Python with PyTorch and torchvision here';

/** Entries, and those that are no counts of batches. */
for (const [name, entries, floats] of [
  ['densenet169', 1013, 844],
  ['resnet50', 318, 265],
] as const) {
  t.test(name, { skip }, async (t) => {
    const folder = t.testdir();
    await execute(python!, [script, folder, name]);
    const expected = (await readCheckpoint(path.join(folder, 'expected.safetensors'))).state as Map<string, Entry>;
    t.same((await readdir(folder)).length, 7);
    let first: StateDict | undefined;
    for (const [file, format, loaded] of [
      ['zip.pth', 'PyTorch, zip', entries],
      ['old.pth', 'PyTorch, before 1.6', floats],
      ['checkpoint.pth', 'PyTorch, zip', entries],
      ['double.pth', 'PyTorch, before 1.6', entries],
      ['parameters.pth', 'PyTorch, zip', floats],
    ] as const) {
      setDefaultDevice(wasm);
      // torchvision's eps, in the place of Keras's.
      const backbone = makeBackbone(name, { norm: { eps: 1e-5 } });
      const report = await loadBackbone(backbone, name, path.join(folder, file));
      t.equal(report.format, format, file);
      t.same([report.missing, report.unexpected, report.leftOut.length], [[], [], 2]);
      t.equal(report.loaded.length, loaded);
      t.match(report.checksum, /^[0-9a-f]{64}$/);
      if (first) {
        t.same(differing(await backbone.stateDict(), first), [], `${file}: the bits of the first one`);
      } else {
        first = await backbone.stateDict();
        const worst = await worstTap(backbone, expected);
        t.ok(worst < 1e-4, `${file}: off by ${worst}`);
      }
      backbone.dispose();
    }
    await t.rejects(importWeights(path.join(folder, 'module.pth'), name), {
      name: 'DataError',
      message: /names torchvision\.models\.\w+\.\w+, which is not part of a state dict/,
    });
    const other = name === 'resnet50' ? 'densenet169' : 'resnet50-keras';
    await t.rejects(importWeights(path.join(folder, 'zip.pth'), other), {
      name: 'DataError',
      message: new RegExp(`holds the weights of ${name}, not of ${other}`),
    });
  });
}
