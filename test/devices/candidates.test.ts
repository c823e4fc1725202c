// Every WASM plan that a measured table may name gives what `reference` gives, and a device with a table takes its plans.
import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { conv2d, type Conv2dParams } from '../../kernels/index.ts';
import { shapeClass, tuningFacts } from '../../kernels/tuning.ts';
import { wasmPlans } from '../../kernels/wasm.ts';
import { checkCandidates } from './candidates.ts';

t.setTimeout(300_000);

const device = await createWasmDevice({ threads: 2 });
const facts = { threads: 2, relaxedSimd: device.facts.relaxedSimd === true };
for (const name of ['matmul', 'conv2d', 'conv2dInputGradient', 'conv2dWeightGradient']) {
  const planOf = (params: object, prefer: string) => wasmPlans.get({ name })(params as never, facts, prefer).name;
  await checkCandidates(t, device, name, wasmPlans.variants({ name }), planOf, 150);
}
device.dispose();

const params: Conv2dParams = {
  ...{ batch: 1, inChannels: 3, inH: 12, inW: 12, outChannels: 4, outH: 12, outW: 12, kernelH: 3, kernelW: 3 },
  ...{ strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1, groups: 1, bias: 0 },
};

t.test('a device with a table', async (t) => {
  const entry = { kernel: 'conv2d', shapes: shapeClass(conv2d, params), plan: 'packedColumns' };
  const table = { device: 'wasm' as const, facts: tuningFacts('wasm', facts), entries: [entry] };
  const results = [];
  for (const [tables, plan, fact] of [
    [[table], 'packedColumns', 'sum of the file'],
    [
      [{ ...table, facts: { ...table.facts, threads: 3 } }],
      'shiftedRows',
      'no table of sum of the file is for this device',
    ],
  ] as const) {
    const tuned = await createDevice('wasm', { threads: 2, tuning: { checksum: 'sum of the file', tables } });
    t.equal(tuned.facts.tuning, fact);
    const taken: string[] = [];
    tuned.observer = { before: (_kernel, _params, name) => taken.push(name) };
    const storages = [432, 108, 576].map((length) => tuned.allocate(length, 'float32'));
    const [x, w, y] = storages;
    for (const [i, storage] of [x!, w!].entries()) {
      tuned.write(
        storage,
        Float32Array.from({ length: storage.length }, (_, j) => Math.sin(j + i)),
      );
    }
    tuned.launch(conv2d, [x!, w!], [y!], params);
    tuned.launch(conv2d, [x!, w!], [y!], params);
    t.same(taken, [plan, plan]);
    results.push(await tuned.read(y!));
    tuned.dispose();
  }
  const [one, other] = results as [Float32Array, Float32Array];
  t.ok(
    one.every((value, i) => Math.abs(value - other[i]!) < 1e-5),
    'the same within rounding',
  );
  const plain = await createDevice('wasm', { threads: 2 });
  t.notOk('tuning' in plain.facts, 'without a table nothing is said');
  plain.dispose();
});
