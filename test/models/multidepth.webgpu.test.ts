// The small variant of MultiDepth, forward and backward against PyTorch, on WebGPU.
import t from 'tap';
import { createDevice, setDefaultDevice } from '../../engine/index.ts';
import { compareWithTorch, makeFixture, pythonWithTorch, withoutTorch } from './multidepth-torch.ts';

const python = await pythonWithTorch();
if (!python) {
  t.pass('against PyTorch', { skip: withoutTorch });
} else {
  setDefaultDevice(await createDevice('webgpu'));
  const fixture = await makeFixture(python, [
    '--base',
    '6',
    '--blocks',
    '1,1,2,1',
    '--size',
    '48',
    '--batch',
    '3',
    '--margin',
    '2e-5',
  ]);
  await compareWithTorch(t, fixture, 1e-4, true);
}
