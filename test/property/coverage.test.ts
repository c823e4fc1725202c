// Every operation is run by the random programs of some family, or is named here with what stands in for them.
import fc from 'fast-check';
import t from 'tap';
import { createDevice, observeOperations, registry, scope } from '../../engine/index.ts';
import { families } from './families/index.ts';
import { Trial } from './property.ts';

/** The test that has random or golden cases of them instead. Other names of an operation are made of that one. */
const elsewhere: Readonly<Record<string, string>> = {
  ...of('test/property/extremes-functions.ts', 'diouLoss', 'giouLoss', 'uncertaintyWeighting'),
  ...of('test/engine/ssim.test.ts', 'ssim', 'ssimLoss', 'ssimMap', 'ssimMapBackward'),
  ...of(
    'experiments/verification/operations/cases/masked-losses.ts',
    'silog',
    'maskedMse',
    'maskedCrossEntropy',
    'imageGradients',
    'imageGradientLoss',
  ),
  ...of('test/engine/training.test.ts', 'dropout', 'dropout2d'),
  ...of('experiments/verification/operations/cases/binary.ts', 'logRatio', 'tanhGrad'),
  ...of('test/engine/batch-norm-relu.test.ts', 'batchNormRelu', 'batchNormReluInference'),
  ...of('engine/ops/matmul.ts', 'bmm'),
  ...of('engine/ops/reshape.ts', 'flatten', 'relabel'),
  ...of('engine/ops/layout.ts', 'transpose'),
};

function of(file: string, ...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, file]));
}

t.test('every operation has random programs', async (t) => {
  const device = await createDevice('reference');
  t.teardown(() => device.dispose());
  const seen = new Set<string>();
  const before = observeOperations({
    around(name, _part, body) {
      seen.add(name);
      return body();
    },
  });
  t.teardown(() => observeOperations(before));
  for (const { cases, examples } of families) {
    for (const each of [...examples, ...fc.sample(cases, { seed: 1, numRuns: 20 })]) {
      using _ = scope();
      const trial = new Trial(each, 1);
      await trial.run(device, await trial.bounds(device));
    }
  }
  const names = registry().map(({ name }) => name);
  const missing = names.filter((name) => !seen.has(name)).sort();
  t.same(missing, Object.keys(elsewhere).sort(), 'what is missing goes into a file of test/property/families');
});
