// IDX files: whole ones, and every kind of damage, each named with its file and byte.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { DataError } from '../../engine/index.ts';
import { gunzipFile, loadMnist, parseIdx } from '../../experiments/index.ts';
import { sharedData } from '../shared-data.ts';
import { idx } from './data/files.ts';

/** A header of a magic number and sizes, followed by `values`. */
const throwsNaming = async (t: Test, work: () => unknown, ...patterns: RegExp[]): Promise<void> => {
  try {
    await work();
  } catch (error) {
    t.ok(error instanceof DataError, 'a DataError');
    for (const pattern of patterns) t.match((error as Error).message, pattern);
    return;
  }
  t.fail('nothing was thrown');
};

t.test('a whole array is read', (t) => {
  const { shape, values } = parseIdx(idx(2051, [2, 1, 3], Uint8Array.of(1, 2, 3, 4, 5, 255)), 3, 'x');
  t.same(shape, [2, 1, 3]);
  t.same([...values], [1, 2, 3, 4, 5, 255]);
  t.end();
});

t.test('damaged content is named with its byte', async (t) => {
  const whole = idx(2051, [2, 1, 3], Uint8Array.of(1, 2, 3, 4, 5, 6));
  await throwsNaming(t, () => parseIdx(whole.subarray(0, 7), 3, 'images.gz'), /images\.gz, byte 7: .*header/);
  await throwsNaming(t, () => parseIdx(Buffer.alloc(0), 3, 'images.gz'), /images\.gz, byte 0: .*header/);
  await throwsNaming(
    t,
    () => parseIdx(whole.subarray(0, 20), 3, 'images.gz'),
    /byte 20: .*inside the values/,
    /22 bytes/,
  );
  await throwsNaming(t, () => parseIdx(Buffer.concat([whole, Buffer.of(0)]), 3, 'images.gz'), /byte 22: bytes after/);
  await throwsNaming(t, () => parseIdx(whole, 1, 'labels.gz'), /labels\.gz, byte 0: wrong magic/, /2049.*2051/);
});

t.test('damaged gzip files are named', async (t) => {
  const folder = t.testdir();
  const file = path.join(folder, 'a.gz');
  const zipped = gzipSync(Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251)));
  await writeFile(file, zipped);
  t.equal((await gunzipFile(file)).length, 5000);
  await writeFile(file, zipped.subarray(0, zipped.length - 20));
  await throwsNaming(t, () => gunzipFile(file), /a\.gz, byte \d+: the gzip file ends too early/);
  await writeFile(file, Buffer.from('this is no gzip file'));
  await throwsNaming(t, () => gunzipFile(file), /a\.gz, byte \d+: not valid gzip/);
  await throwsNaming(t, () => gunzipFile(path.join(folder, 'none.gz')), /none\.gz cannot be read/, /wgrad data fetch/);
});

interface Parts {
  labels: Uint8Array;
  count: number;
  side: number;
}

/** A folder with a small MNIST, changed by `change`. */
async function smallMnist(folder: string, change: Partial<Parts> = {}): Promise<string> {
  const { labels = Uint8Array.of(3, 9), count = 2, side = 28 } = change;
  await mkdir(path.join(folder, 'mnist'), { recursive: true });
  for (const part of ['train', 't10k']) {
    const images = idx(2051, [count, side, side], new Uint8Array(count * side * side).fill(51));
    await writeFile(path.join(folder, 'mnist', `${part}-images-idx3-ubyte.gz`), gzipSync(images));
    const content = idx(2049, [labels.length], labels);
    await writeFile(path.join(folder, 'mnist', `${part}-labels-idx1-ubyte.gz`), gzipSync(content));
  }
  return folder;
}

t.test('a data set whose files do not fit together', async (t) => {
  const folder = t.testdir();
  const source = await loadMnist(await smallMnist(folder));
  t.equal(source.label('train', 1), 9);
  t.equal(source.pixels('test', 0)[5], Math.fround(0.2));
  t.equal(source.available('train'), 2);
  t.equal(source.available('validation'), 0, 'the validation range lies beyond the end');
  await smallMnist(folder, { labels: Uint8Array.of(3, 10) });
  await throwsNaming(t, () => loadMnist(folder), /labels-idx1-ubyte\.gz, byte 9: no such digit/, /got 10/);
  await smallMnist(folder, { labels: Uint8Array.of(3) });
  await throwsNaming(t, () => loadMnist(folder), /byte 4: images and labels differ/);
  await smallMnist(folder, { side: 27 });
  await throwsNaming(t, () => loadMnist(folder), /byte 8: the images have another size/, /27 x 27/);
});

const real = sharedData('data/mnist');
t.test('the official files', { skip: real ? false : 'no ../shared/data/mnist' }, async (t) => {
  const source = await loadMnist(path.dirname(real!));
  t.same(
    Array.from({ length: 10 }, (_, i) => source.label('train', i)),
    [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
  );
  t.equal(source.available('validation'), 1500);
  t.equal(source.available('test'), 1000);
  const pixels = source.pixels('train', 0);
  t.equal(Math.max(...pixels), 1);
  t.equal(pixels[0], 0);
  // The validation cohort starts at image 45000 of the training file.
  const labels = await gunzipFile(path.join(real!, 'train-labels-idx1-ubyte.gz'));
  t.equal(source.label('validation', 7), labels[8 + 45_007]);
  const cut = path.join(t.testdir(), 'mnist');
  await mkdir(cut);
  for (const name of Object.keys(source.checksums)) {
    const bytes = await readFile(path.join(real!, name));
    await writeFile(path.join(cut, name), name.startsWith('t10k-images') ? bytes.subarray(0, 100_000) : bytes);
  }
  await throwsNaming(t, () => loadMnist(path.dirname(cut)), /t10k-images-idx3-ubyte\.gz, byte 100000: .*too early/);
});
