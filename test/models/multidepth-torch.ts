// Fixtures of MultiDepth that test/golden/multidepth_torch.py makes, and the comparison with them.
import type { Test } from 'tap';
import { scope } from '../../engine/index.ts';
import { MultiDepth, multiDepthOptionsOf } from '../../models/index.ts';
import { below, compareWithFixture, type Fixture, makeFixture as make, pythonWith } from './torch-fixture.ts';

/** A Python that has PyTorch, or undefined. */
export const pythonWithTorch = (): Promise<string | undefined> => pythonWith('torch');
export const withoutTorch = 'no Python with PyTorch here';

export const makeFixture = (python: string, args: readonly string[]): Promise<Fixture> =>
  make(python, 'test/golden/multidepth_torch.py', args);

/** Loads the fixture's weights, runs it forward and backward, and compares all that it holds within `tolerance`. */
export async function compareWithTorch(t: Test, fixture: Fixture, tolerance: number, training: boolean): Promise<void> {
  using _ = scope();
  const net = new MultiDepth({ ...multiDepthOptionsOf(below(fixture, 'state')), dropout: 0 });
  net.train(training);
  await compareWithFixture(t, fixture, net, (picture) => ({ ...net.forward(picture) }), tolerance);
  net.dispose();
}
