// Attention and embeddings beside PyTorch's, in one chunk and in several, and the memory of a long sequence.
import t, { type Test } from 'tap';
import {
  type AttentionOptions,
  cast,
  type Device,
  mul,
  nn,
  parameter,
  random,
  scaledDotProductAttention,
  scope,
  setDefaultDevice,
  sum,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { below, type Entry, type Fixture, makeFixture, pythonWith, relativeError } from '../models/torch-fixture.ts';
import { onEach, testedOn } from '../tested-on.ts';

t.setTimeout(300_000);
const devices = testedOn('reference', 'wasm', 'webgpu');
const python = await pythonWith('torch');
const skip = python ? false : 'no Python with PyTorch here';
const fixture = python ? await makeFixture(python, 'test/engine/attention_torch.py', []) : (new Map() as Fixture);
/** float32 beside float32. */
const TOLERANCE = 2e-6;

async function compare(t: Test, what: string, ours: Tensor | null | undefined, expected: Entry): Promise<void> {
  t.same(ours?.shape, expected.shape, what);
  const error = relativeError(await ours!.array(), expected.values);
  t.ok(error < TOLERANCE, `${what} is off by ${error.toExponential(1)}`);
}

const asInput = ({ shape, values }: Entry): Tensor => tensor(values, shape).requireGrad();

async function compareCase(t: Test, name: string, options: AttentionOptions): Promise<void> {
  using _ = scope();
  const own = below(fixture, name);
  const [q, k, v] = ['q', 'k', 'v'].map((key) => asInput(own.get(key)!)) as [Tensor, Tensor, Tensor];
  const given = own.get('mask') && asInput(own.get('mask')!);
  const attnMask = name === 'flags' ? cast(given!, 'bool') : given;
  const y = scaledDotProductAttention(q, k, v, { ...options, attnMask });
  sum(mul(y, tensor(own.get('cotangent')!.values, y.shape))).backward();
  await compare(t, 'y', y, own.get('y')!);
  for (const [key, x] of Object.entries({ q, k, v }))
    await compare(t, `gradient of ${key}`, x.grad, own.get(`grad/${key}`)!);
  if (name === 'added') await compare(t, 'gradient of the mask', given!.grad, own.get('grad/mask')!);
}

async function compareLayers(t: Test): Promise<void> {
  using _ = scope();
  const heads = below(fixture, 'heads');
  const layer = new nn.MultiHeadAttention(8, 2);
  layer.loadStateDict(below(heads, 'state'));
  const [query, key] = [asInput(heads.get('query')!), asInput(heads.get('key')!)];
  const y = layer.forward(query, key);
  sum(mul(y, tensor(heads.get('cotangent')!.values, y.shape))).backward();
  await compare(t, 'heads', y, heads.get('y')!);
  await compare(t, 'gradient of the query', query.grad, heads.get('grad/query')!);
  await compare(t, 'gradient of the key', key.grad, heads.get('grad/key')!);
  for (const [name, value] of layer.namedState()) {
    await compare(t, `gradient of ${name}`, (value as Tensor).grad, heads.get(`grad/state/${name}`)!);
  }
  const embedding = below(fixture, 'embedding');
  const table = new nn.Embedding(6, 3, { paddingIdx: 2 });
  t.same([...(await table.weight.array())].slice(6, 9), [0, 0, 0], 'padding is zeros');
  table.loadStateDict(below(embedding, 'state'));
  const rows = table.forward(tensor(Int32Array.of(0, 2, 5, 5, 1, 2, 0, 3), [2, 4]));
  sum(mul(rows, tensor(embedding.get('cotangent')!.values, rows.shape))).backward();
  await compare(t, 'rows', rows, embedding.get('y')!);
  await compare(t, 'gradient of the table', table.weight.grad, embedding.get('grad/state/weight')!);
  layer.dispose();
  table.dispose();
}

await onEach(t, devices, async (t, device) => {
  setDefaultDevice(device);
  await t.test('beside PyTorch', { skip }, async (t) => {
    for (const chunk of [undefined, 4, 1]) {
      for (const name of ['plain', 'causal', 'flags', 'added']) {
        await t.test(`${name}, ${chunk ?? 'all'} queries at a time`, (t) =>
          compareCase(t, name, { isCausal: name === 'causal', chunk }),
        );
      }
    }
    await t.test('layers', compareLayers);
  });
});

/** Bytes that forward and backward of one head hold at most beside what was there before. */
async function peakOf(device: Device, length: number): Promise<number> {
  const draw = (i: number): Tensor =>
    parameter(random(3, 'attention', i).normalArray(8 * length), [1, length, 8], device);
  const [q, k, v] = [draw(0), draw(1), draw(2)];
  const { liveBytes } = device.statistics();
  device.resetPeakBytes();
  {
    using _ = scope();
    sum(scaledDotProductAttention(q, k, v, { chunk: 16 })).backward();
  }
  const most = device.statistics().peakBytes;
  await device.synchronize();
  for (const x of [q, k, v]) x.dispose();
  return most - liveBytes;
}

await onEach(
  t,
  [...devices].filter((name) => name === 'wasm'),
  async (t, device) => {
    const [short, long] = [await peakOf(device, 512), await peakOf(device, 1024)];
    t.ok(long < 2.2 * short, `twice the length takes ${(long / short).toFixed(2)} times the memory`);
  },
);
