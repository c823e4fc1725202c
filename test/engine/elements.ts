// Values at the door, on one device: what each element type takes and what it refuses, by every way in.
import type { Test } from 'tap';
import * as w from '../../engine/index.ts';
import { DTypeError } from '../../engine/index.ts';

type DType = w.DType;
type AnyValues = Parameters<typeof w.tensor>[0];

const values = async (x: w.Tensor): Promise<number[]> => [...(await x.array())];
/** What types would not let through. */
const wrong = <T>(value: unknown): T => value as T;

/** Values and what they become; undefined where they are refused. */
const table: readonly (readonly [value: unknown, number?: number, int?: number, bool?: number])[] = [
  [0, 0, 0, 0],
  [-0, -0, 0, 0],
  [1, 1, 1, 1],
  [255, 255, 255, 1],
  [-3, -3, -3, 1],
  [0.5, 0.5, undefined, 1],
  [-1.5, -1.5, undefined, 1],
  [2 ** 31 - 1, Math.fround(2 ** 31 - 1), 2 ** 31 - 1, 1],
  [-(2 ** 31), -(2 ** 31), -(2 ** 31), 1],
  [2 ** 31, 2 ** 31, undefined, 1],
  [-(2 ** 31) - 1, Math.fround(-(2 ** 31) - 1), undefined, 1],
  [3e9, 3e9, undefined, 1],
  [NaN, NaN, undefined, 1],
  [Infinity, Infinity, undefined, 1],
  [-Infinity, -Infinity, undefined, 1],
  [true, 1, 1, 1],
  [false, 0, 0, 0],
  [7n, 7, 7, 1],
  [0n, 0, 0, 0],
  [3_000_000_000n, 3e9, undefined, 1],
  ['1'],
  [''],
  [null],
  [undefined],
  [{}],
  [new Date(0)],
  [Symbol.iterator],
  [() => 1],
];
const dtypes: readonly DType[] = ['float32', 'int32', 'bool'];

const typedArrays = [
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
] as const;

/** A list of numbers as arrays of several kinds. */
const arrays = {
  'a list': (list: readonly number[]): ArrayLike<number> => [...list],
  Float32Array: (list: readonly number[]): ArrayLike<number> => Float32Array.from(list),
  Float64Array: (list: readonly number[]): ArrayLike<number> => Float64Array.from(list),
  Int32Array: (list: readonly number[]): ArrayLike<number> => Int32Array.from(list),
};

/** Ways in for a list of values. A creator that has one type takes it alone. */
function waysIn(device: w.Device): Record<string, { only?: DType; make: (list: unknown[], dtype: DType) => w.Tensor }> {
  const into = (list: unknown[], dtype: DType, write: (storage: w.Tensor['storage']) => void): w.Tensor => {
    const x = w.zeros([list.length], { dtype });
    write(x.storage);
    return x;
  };
  return {
    tensor: { make: (list, dtype) => w.tensor(wrong<number[]>(list), [list.length], { dtype }) },
    'tensor, nested': { make: (list, dtype) => w.tensor(wrong<AnyValues>([list, list]), undefined, { dtype }) },
    parameter: { only: 'float32', make: (list) => w.parameter(wrong<number[]>(list), [list.length]) },
    write: {
      make: (list, dtype) => into(list, dtype, (storage) => device.write(storage, wrong<number[]>(list))),
    },
    loadStateDict: {
      only: 'float32',
      make(list) {
        const layer = new w.nn.Linear(list.length, 1, { bias: false });
        layer.loadStateDict(new Map([['weight', { shape: [1, list.length], values: wrong<Float32Array>(list) }]]));
        return layer.weight;
      },
    },
  };
}

function refusedAt(t: Test, make: () => unknown, index: string, label: string): void {
  let thrown: unknown;
  try {
    make();
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof DTypeError)) return void t.fail(`${label}: ${String(thrown)}`);
  const { operation, argument, expected, given } = thrown.details;
  t.ok(operation && argument && expected && given?.endsWith(`at index ${index}`), `${label}: ${thrown.message}`);
}

export async function elementsSuite(t: Test, device: w.Device): Promise<void> {
  w.setDefaultDevice(device);

  await t.test('values in arrays', async (t) => {
    using _ = w.scope();
    for (const [way, { only, make }] of Object.entries(waysIn(device))) {
      for (const dtype of only ? [only] : dtypes) {
        for (const [value, ...become] of table) {
          const wanted = become[dtypes.indexOf(dtype)];
          const label = `${way}, ${dtype}, ${typeof value === 'symbol' ? 'a symbol' : String(value)}`;
          // The bad one is neither the first nor the last.
          const list = [1, 0, 1, value, 1];
          if (wanted === undefined) {
            refusedAt(t, () => make(list, dtype), way.endsWith('nested') ? '[0, 3]' : '3', label);
          } else {
            const got = await values(make(list, dtype));
            // The reference device holds float64.
            t.same(got.slice(0, 5).map(Math.fround), [1, 0, 1, wanted, 1].map(Math.fround), label);
          }
        }
      }
    }
  });

  await t.test('single values', async (t) => {
    using _ = w.scope();
    const c = w.tensor([1, 0], [2], { dtype: 'bool' });
    for (const dtype of dtypes) {
      const base = w.tensor([1, 0], [2], { dtype });
      for (const [value, ...become] of table) {
        if (typeof value === 'symbol') continue;
        const wanted = become[dtypes.indexOf(dtype)];
        const ways: Record<string, () => w.Tensor> = {
          full: () => w.full([3], wrong<number>(value), { dtype }),
          pad: () => w.pad(base, [0, 1], 'constant', wrong<number>(value)),
        };
        if (typeof value === 'number') ways['where'] = () => w.where(c, base, value);
        for (const [way, make] of Object.entries(ways)) {
          const label = `${way}, ${dtype}, ${String(value)}`;
          // Padding with nothing said is padding with 0.
          if (way === 'pad' && value === undefined) continue;
          if (wanted === undefined) t.throws(make, DTypeError, label);
          else t.same(Math.fround((await values(make())).at(-1)!), Math.fround(wanted), label);
        }
      }
    }
  });

  await t.test('one bad value at every place of lists and typed arrays', async (t) => {
    using _ = w.scope();
    // Lengths about those from which values are converted otherwise.
    for (const length of [1, 4, 7, 16, 17, 22]) {
      const good = Array.from({ length }, (_, i) => (i % 3) - 1);
      for (let at = 0; at < length; at++) {
        for (const kind of ['a list', 'Float32Array', 'Float64Array'] as const) {
          const bad = arrays[kind](good.with(at, 0.5));
          const label = `${kind} of ${length} with 0.5 at ${at}`;
          refusedAt(t, () => w.tensor(bad, [length], { dtype: 'int32' }), String(at), label);
          t.same(await values(w.tensor(bad, [length], { dtype: 'bool' })), good.with(at, 1).map(Math.abs), label);
        }
        const text = wrong<number[]>((good as unknown[]).with(at, '1'));
        for (const dtype of dtypes) {
          refusedAt(t, () => w.tensor(text, [length], { dtype }), String(at), `${dtype} of ${length}, text at ${at}`);
        }
      }
    }
  });

  await t.test('conversions follow one another without a trace', async (t) => {
    using _ = w.scope();
    for (const length of [3, 17, 40, 3000]) {
      const whole = Array.from({ length }, (_, i) => (i % 5) - 2);
      for (const dtype of dtypes) {
        for (const [kind, arrayOf] of Object.entries(arrays)) {
          const first = w.tensor(arrayOf(whole), [length], { dtype });
          const second = w.tensor(arrayOf(whole.map((v) => 3 * v)), [length], { dtype });
          const become = (v: number) => (dtype === 'bool' ? Number(v !== 0) : v);
          const label = `${kind} of ${length} as ${dtype}`;
          t.same(await values(first), whole.map(become), label);
          t.same(
            await values(second),
            whole.map((v) => become(3 * v)),
            label,
          );
        }
      }
      // What is refused leaves what was there.
      const kept = w.tensor(whole, [length], { dtype: 'int32' });
      const refused = whole.with(-1, 0.5);
      for (const list of [refused, Float32Array.from(refused), Float64Array.from(refused)]) {
        t.throws(() => device.write(kept.storage, list), DTypeError);
        t.same(await values(kept), whole);
      }
    }
  });

  await t.test('NaN, the zero below 0 and the smallest numbers as bool', async (t) => {
    using _ = w.scope();
    for (const repeats of [1, 1000]) {
      const list = Array.from({ length: 6 * repeats }, (_, i) => [NaN, -0, 0, 1e-38, -Infinity, 2][i % 6]!);
      const wanted = list.map((v) => Number(v !== 0));
      for (const kind of ['a list', 'Float32Array', 'Float64Array'] as const) {
        const got = await values(w.tensor(arrays[kind](list), [list.length], { dtype: 'bool' }));
        t.same(got, wanted, `${kind} of ${list.length}`);
      }
    }
    const tiny = Float64Array.from({ length: 3000 }, () => 1e-300);
    t.ok((await values(w.tensor(tiny, [3000], { dtype: 'bool' }))).every((v) => v === 1));
  });

  await t.test('typed arrays', async (t) => {
    using _ = w.scope();
    for (const Typed of typedArrays) {
      const source = Typed.from([0, 1, 255, 127]);
      for (const dtype of dtypes) {
        const got = await values(w.tensor(source, [4], { dtype }));
        const wanted = dtype === 'bool' ? [0, 1, 1, 1] : [...source];
        t.same(got, wanted, `${Typed.name} as ${dtype}`);
      }
    }
    const big = BigInt64Array.of(0n, -1n, 5n);
    const labels = w.tensor(big);
    t.equal(labels.dtype, 'int32', 'BigInts are whole numbers');
    t.same(await values(labels), [0, -1, 5]);
    t.same(await values(w.tensor([2n, 3n])), [2, 3]);
    t.same(await values(w.tensor(big, [3], { dtype: 'bool' })), [0, 1, 1]);
    refusedAt(t, () => w.tensor(BigUint64Array.of(0n, 2n ** 31n)), '1', 'a BigInt that is too large');
    refusedAt(t, () => w.tensor(Float32Array.of(0, 1, 1.5), [3], { dtype: 'int32' }), '2', 'a fraction');
    refusedAt(t, () => w.tensor(Uint32Array.of(0, 2 ** 32 - 1), [2], { dtype: 'int32' }), '1', 'a large one');
    const holes = new Array<number>(3);
    holes[0] = 1;
    refusedAt(t, () => w.tensor(holes, [3]), '1', 'a hole');
    refusedAt(t, () => w.tensor(wrong<number[]>({ length: 2, 0: 1 }), [2]), '1', 'no array and too short');
  });

  await t.test('a mask of pictures is a mask', async (t) => {
    using _ = w.scope();
    const mask = w.tensor(Uint8Array.of(0, 255, 255, 0), [4], { dtype: 'bool' });
    t.equal(await w.sum(w.cast(mask, 'float32')).item(), 2);
    t.equal(await w.maskedMse(w.tensor([1, 2, 3, 4]), w.zeros([4]), mask).item(), 6.5);
  });

  await t.test('what is refused changes nothing', async (t) => {
    using _ = w.scope();
    const layer = new w.nn.Linear(2, 1);
    const before = [await values(layer.weight), await values(layer.bias!)];
    const state = new Map([
      ['weight', { shape: [1, 2], values: Float32Array.of(1, 2) }],
      ['bias', { shape: [1], values: wrong<Float32Array>(['1']) }],
    ]);
    t.throws(() => layer.loadStateDict(state), DTypeError);
    state.set('bias', { shape: [1], values: Float32Array.of(1, 2) });
    t.throws(() => layer.loadStateDict(state), w.StateDictError, 'too many values');
    t.same([await values(layer.weight), await values(layer.bias!)], before);
    const optimizer = new w.SGD([layer.weight], { lr: 1, momentum: 0.5 });
    w.sum(layer.weight).backward();
    optimizer.step();
    const saved = await optimizer.stateDict();
    t.throws(
      () => optimizer.loadStateDict(new Map([['0.momentum', { values: wrong<number[]>([1, null]) }]])),
      DTypeError,
    );
    t.same(await optimizer.stateDict(), saved);
    optimizer.dispose();
    layer.dispose();
  });

  await t.test('constants of each type', async (t) => {
    using _ = w.scope();
    const ints = w.tensor(Int32Array.of(1, 2));
    t.same(await values(w.pad(ints, [1, 2], 'constant', 255)), [255, 1, 2, 255, 255]);
    t.same(await values(w.pad(ints, [1, 0], 'constant', -(2 ** 31))), [-(2 ** 31), 1, 2]);
    const flags = w.tensor([1, 0], [2], { dtype: 'bool' });
    t.same(await values(w.pad(flags, [0, 1], 'constant', 7)), [1, 0, 1]);
    t.same(await values(w.pad(w.tensor([1, 2]), [1, 0], 'constant', NaN)), [NaN, 1, 2]);
    for (const n of [1, 3, 4, 1023, 4096]) {
      t.ok((await values(w.full([n], -7, { dtype: 'int32' }))).every((x) => x === -7));
      t.ok((await values(w.full([n], 3, { dtype: 'bool' }))).every((x) => x === 1));
    }
    t.same(await values(w.where(flags, ints, 16_777_217)), [1, 16_777_217], 'not by way of float32');
  });

  await t.test('indices from the end and outside', async (t) => {
    const least = -(2 ** 31);
    const ints = (...list: number[]): w.Tensor => w.tensor(Int32Array.from(list));
    using _ = w.scope();
    const x = w.tensor([5, 6, 7], [3], { requiresGrad: true });
    const index = ints(-1, 0, -3, 3, -4, 1);
    t.same(await values(w.gather(x, 0, index)), [7, 5, 5, NaN, NaN, 6]);
    t.same(await values(w.indexSelect(x, 0, index)), [7, 5, 5, NaN, NaN, 6]);
    t.same(await values(w.gather(ints(5, 6, 7), 0, index)), [7, 5, 5, least, least, 6]);
    const flags = w.ones([3], { dtype: 'bool' });
    t.same(await values(w.indexSelect(flags, 0, index)), [1, 1, 1, 0, 0, 1]);
    w.sum(w.mul(w.gather(x, 0, index), w.tensor([1, 2, 4, 8, 16, 32]))).backward();
    t.same(await values(x.grad!), [6, 32, 1], 'an index outside has no gradient');

    const g = w.tensor([1, 2, 4], [3], { requiresGrad: true });
    t.same(await values(w.scatterAdd(g, 0, ints(-1, 2, -4), 4)), [4, 0, 2, 1]);
    t.same(await values(w.scatter(g, 0, ints(-1, 2, -1), 4)), [0, 0, 2, 4]);
    w.sum(w.mul(w.scatterAdd(g, 0, ints(-1, 2, -4), 4), w.tensor([1, 2, 3, 4]))).backward();
    t.same(await values(g.grad!), [4, 3, 1]);
    // Columns of their own: the one with an index outside is marked, the other is not. 40 rows for several plans.
    for (const size of [2, 40]) {
      const columns = w.tensor([1, 2, 3, 4], [2, 2]);
      const into = w.tensor(Int32Array.of(0, size, -1, 0), [2, 2]);
      const added = await values(w.scatterAdd(columns, 0, into, size));
      const first = added.filter((_, i) => i % 2 === 0);
      t.same([first[0], first.at(-1)], [1, 3]);
      t.ok(added.filter((_, i) => i % 2 === 1).every(Number.isNaN), 'the whole column');
      const replaced = await values(w.scatter(w.tensor(Int32Array.of(1, 2, 3, 4), [2, 2]), 0, into, size));
      t.ok(replaced.filter((_, i) => i % 2 === 1).every((value) => value === least));
    }
    const logits = w.tensor([0, 0, 0, 0], [2, 2], { requiresGrad: true });
    w.nllLoss(logits, ints(1, -100)).backward();
    t.same(await values(logits.grad!), [0, -1, 0, 0], 'an ignored label may be outside');
  });
}
