// The weights that `wgrad predict` takes: every type of floats, one file or several with an index, with and without counters.
import path from 'node:path';
import { writeFile } from 'node:fs/promises';
import t from 'tap';
import {
  createDevice,
  manualSeed,
  type SafetensorsEntry,
  saveCheckpoint,
  setDefaultDevice,
  type StateEntry,
  writeSafetensors,
} from '../../../engine/index.ts';
import { depthOf, loadNetwork } from '../../../experiments/papers/multidepth/predict.ts';
import { MultiDepth } from '../../../models/index.ts';
import { writeState } from '../../../experiments/runner/checkpoint.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());
const folder = t.testdir();
const at = (name: string): string => path.join(folder, name);

manualSeed(4);
const model = new MultiDepth({ baseWidth: 2, blocks: [1, 1, 1, 1], classes: 5, regression: true, scales: 'one' });
const state = await model.stateDict();
/** The same with weights that sixteen bits hold, so that every type holds the same network. */
for (const entry of state.values()) {
  if (entry.values instanceof Int32Array) continue;
  const bits = new Uint32Array(Float32Array.from(entry.values).buffer).map((word) => word & 0xffff0000);
  entry.values = new Float32Array(bits.buffer).map((value) => (Math.abs(value) < 2 ** -14 ? 0 : value));
}

/** The upper bits of a float32 that has no others. */
const bfloats = (values: ArrayLike<number>): Uint16Array =>
  Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (word) => word >>> 16);

/** Halves of numbers with eight digits within the range of halves. */
const halves = (values: ArrayLike<number>): Uint16Array =>
  Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (word) =>
    word << 1 === 0
      ? word >>> 16
      : ((word >>> 16) & 0x8000) | ((((word >>> 23) & 0xff) - 112) << 10) | ((word >>> 13) & 0x3ff),
  );

const types: Record<string, (values: StateEntry['values'], shape: readonly number[]) => SafetensorsEntry> = {
  F64: (values, shape) => ({ dtype: 'F64', shape, data: Float64Array.from(values) }),
  F32: (values, shape) => ({ dtype: 'F32', shape, data: Float32Array.from(values) }),
  F16: (values, shape) => ({ dtype: 'F16', shape, data: halves(values) }),
  BF16: (values, shape) => ({ dtype: 'BF16', shape, data: bfloats(values) }),
};

const picture = { width: 50, height: 48, data: Uint8Array.from({ length: 3 * 50 * 48 }, (_, i) => (i * 37) % 251) };
await writeState(at('run.safetensors'), state, { bounds: '[2,125]', classPlanes: 'null' });
const expected = await depthOf(await loadNetwork(at('run.safetensors')), picture);
t.ok(new Set(expected).size > 10, 'a map that varies');

for (const [name, encode] of Object.entries(types)) {
  t.test(name, async (t) => {
    const tensors = new Map<string, SafetensorsEntry>();
    for (const [key, { values, shape }] of state) {
      const counts = BigInt64Array.from([...values].slice(0, 1), (value) => BigInt(Math.trunc(value)));
      tensors.set(key, values instanceof Int32Array ? { dtype: 'I64', shape, data: counts } : encode(values, shape));
    }
    await writeFile(at(`${name}.safetensors`), writeSafetensors({ tensors }));
    t.same(await depthOf(await loadNetwork(at(`${name}.safetensors`)), picture), expected);
  });
}

t.test('several files with an index', async (t) => {
  const map: Record<string, string> = {};
  const entries = [...state];
  for (const part of [0, 1, 2]) {
    const own = new Map(entries.filter((_, i) => i % 3 === part));
    await saveCheckpoint(at(`part-${part}.safetensors`), own);
    for (const key of own.keys()) map[key] = `part-${part}.safetensors`;
  }
  const index = at('model.safetensors.index.json');
  await writeFile(index, JSON.stringify({ metadata: {}, weight_map: map }));
  t.same(await depthOf(await loadNetwork(index), picture), expected);
});

t.test('weights that lack something', async (t) => {
  const less = new Map(state);
  less.delete('head_d_reg_classification.bias');
  await saveCheckpoint(at('less.safetensors'), less);
  await t.rejects(loadNetwork(at('less.safetensors')), /less\.safetensors does not fit the module/);
});
