// torchvision's networks, saved by PyTorch in four formats, give PyTorch's outputs here, through `loadWeights`.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { createDevice, type nn, noGrad, readCheckpoint, scope, setDefaultDevice } from '../../engine/index.ts';
import { loadWeights } from '../../engine/io/weights/index.ts';
import { DenseNet, ResNet, Vgg16Bn } from '../../models/index.ts';
import { repositoryRoot } from '../shared-data.ts';
import { asTensor, type Entry, pythonWith, relativeError } from './torch-fixture.ts';

const run = promisify(execFile);
const script = path.join(repositoryRoot(), 'test/models/saved_torch.py');
const python = await pythonWith('torch, torchvision');
const skip = python ? false : 'no Python with PyTorch and torchvision here';

const formats = {
  'zip.pt': 'PyTorch, zip',
  'old.pth': 'PyTorch, before 1.6',
  'model.safetensors': 'safetensors',
  'model.bin.index.json': 'PyTorch, zip',
} as const;
type File = keyof typeof formats;
const all = Object.keys(formats) as File[];

/** All formats once: the others are the same reader with more bytes, of which VGG has 553 MB a file. */
const networks: Readonly<Record<string, readonly [build: () => nn.Module & nn.Layer, files: readonly File[]]>> = {
  resnet50: [() => new ResNet(50), all],
  densenet169: [() => new DenseNet(169), ['zip.pt', 'model.safetensors']],
  vgg16_bn: [() => new Vgg16Bn(), ['old.pth']],
};

t.setTimeout(300_000);
setDefaultDevice(await createDevice('wasm'));
for (const [name, [build, files]] of Object.entries(networks)) {
  t.test(name, { skip }, async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'wgrad-saved-'));
    t.teardown(() => rm(folder, { recursive: true }));
    await run(python!, [script, name, folder, ...files]);
    const values = (await readCheckpoint(path.join(folder, 'values.safetensors'))).state as Map<string, Entry>;
    const network = build().eval();
    t.teardown(() => network.dispose());
    for (const file of files) {
      using _ = scope();
      for (const parameter of network.parameters())
        parameter.device.write(parameter.storage, new Float32Array(parameter.size));
      const report = await loadWeights(network, path.join(folder, file));
      t.same([report.format, report.missing, report.unexpected, report.leftOut], [formats[file], [], [], []], file);
      const y = noGrad(() => network.forward(asTensor(values.get('x')!)));
      const error = relativeError(await y.array(), values.get('y')!.values);
      t.ok(error < 1e-4, `${file}: off by ${error.toExponential(1)}`);
    }
  });
}
