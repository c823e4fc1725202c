// MultiDepth forward and backward against PyTorch, by fixtures that test/golden/multidepth_torch.py makes.
import t, { type Test } from 'tap';
import { type Device, setDefaultDevice, type Tensor } from '../../engine/index.ts';
import { MultiDepth, multiDepthOptionsOf } from '../../models/index.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { below, compareWithTorch, type Fixture, makeFixture, pythonWith } from './torch-fixture.ts';

const fixtureOf = (python: string, args: readonly string[]): Promise<Fixture> =>
  makeFixture(python, 'test/golden/multidepth_torch.py', args);

/** Compares the network that the fixture's weights fit. */
function compareMultiDepth(t: Test, fixture: Fixture, tolerance: number, training: boolean): Promise<void> {
  const net = new MultiDepth({ ...multiDepthOptionsOf(below(fixture, 'state')), dropout: 0 });
  const forward = (inputs: ReadonlyMap<string, Tensor>): Record<string, Tensor> => ({
    ...net.forward(inputs.get('picture')!),
  });
  return compareWithTorch(t, fixture, { net, forward, training, tolerance });
}

// Of two values that batch norm sees in the 1x1 cells, only the sign would be left: hence three pictures. A relu's input nearer to 0
// than the margin would fall on the other side by rounding alone.
const small = ['--base', '6', '--blocks', '1,1,2,1', '--size', '48', '--batch', '3', '--margin', '2e-5'];

/** With running statistics. With the batch's a hundred layers are chaotic: PyTorch's own float32 is then 5 % away from its float64. */
async function testRunningStatistics(t: Test, device: Device, python: string): Promise<void> {
  setDefaultDevice(device);
  await t.test('the small variant with running statistics', async (t) => {
    await compareMultiDepth(t, await fixtureOf(python, [...small, '--eval', '--margin', '0']), 1e-4, false);
  });
  await t.test('the paper size with running statistics', async (t) => {
    // The gradients of the other 21 blocks of stage 4 would be as many megabytes again.
    const kept = '^(convbn|res_block[235]|res_block4.layers.(0|22)|head_d_cls|head_d_reg_(c|pyr))';
    const fixture = await fixtureOf(python, ['--size', '64', '--batch', '1', '--eval', '--gradients', kept]);
    t.equal(below(fixture, 'state').size, 584);
    await compareMultiDepth(t, fixture, 1e-4, false);
  });
}

const devices = testedOn('reference', 'wasm', 'webgpu');
const python = await pythonWith('torch');
if (!python) {
  t.pass('against PyTorch', { skip: 'no Python with PyTorch here' });
} else {
  const fixture = await fixtureOf(python, small);
  await onEach(t, devices, async (t, device, name) => {
    setDefaultDevice(device);
    await compareMultiDepth(t, fixture, name === 'reference' ? 1e-6 : 1e-4, true);
    if (name === 'wasm') await testRunningStatistics(t, device, python);
  });
}
