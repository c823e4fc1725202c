// The records of the data sets and what is made of them: the page of the documentation, the commands, and the choice between real data
// and stand-in.
import { readFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import {
  dataFactsFor,
  dataFor,
  type DataSet,
  dataSets,
  type LoadedData,
  PassedOver,
  papers,
} from '../../../experiments/index.ts';
import { markdownOfDataSets, remake } from '../../../experiments/data/document.ts';
import { repositoryRoot, sharedData } from '../../shared-data.ts';
import { run } from '../command.ts';
import { idx, pngOf, put, smallMnist } from './files.ts';

t.test('docs/data.md is that of the records', async (t) => {
  const page = await readFile(path.join(repositoryRoot(), 'docs/data.md'), 'utf8');
  t.equal(page, markdownOfDataSets(), `make it again: ${remake}`);
  for (const { title, licence, layouts, origins, files } of Object.values(dataSets)) {
    for (const text of [title, licence, ...layouts, ...origins, ...Object.values(files)])
      t.ok(page.includes(text), text);
  }
});

t.test('every record is whole', (t) => {
  for (const [name, set] of Object.entries(dataSets)) {
    t.equal(set.name, name);
    t.ok(set.byHand.length > 0 && set.layouts.every((line) => line.length > 0));
    t.ok(set.layouts[0]!.includes(`DIR/${set.folder}`));
    t.equal(Object.keys(set.files).length > 0, set.origins.length > 0, 'files to fetch have origins');
    for (const sum of Object.values(set.files)) t.match(sum, /^[0-9a-f]{64}$/);
    for (const origin of set.origins) t.ok(new URL(origin).pathname.endsWith('/'));
  }
  t.end();
});

t.test('list, show and fetch', async (t) => {
  const folder = t.testdir();
  const listed = await run(['data', 'list'], folder);
  t.equal(listed.status, 0);
  for (const name of Object.keys(dataSets)) {
    t.match(listed.stdout, name);
    const shown = await run(['data', 'show', name], folder);
    t.equal(shown.status, 0);
    t.match(shown.stdout, /Licence: .*\n[^]*By hand:[^]*Layouts that are accepted[^]*Without --data: generated/);
  }
  t.equal((await run(['data', 'list', '--markdown'], folder)).stdout, markdownOfDataSets());
  for (const command of ['show', 'fetch', 'check']) {
    const wrong = await run(['data', command, 'kiti', ...(command === 'check' ? ['.'] : [])], folder);
    t.equal(wrong.status, 2);
    t.match(wrong.stderr, /no data set 'kiti'.*Did you mean 'kitti'/);
  }
});

async function putMnist(folder: string, changes: Record<string, Buffer> = {}): Promise<void> {
  for (const [role, content] of Object.entries({ ...smallMnist(), ...changes })) {
    await put(folder, `mnist/${role}-idx${role.endsWith('images') ? 3 : 1}-ubyte.gz`, gzipSync(content));
  }
}

const drive = '2011_09_26_drive_0001_sync';

async function putKitti(folder: string, second: Buffer): Promise<void> {
  const samples = Array.from({ length: 40 }, (_, i) => (i % 5 === 0 ? 2560 : 0));
  const depth = pngOf({ width: 8, height: 5, bits: 16, colors: 0, samples });
  const color = pngOf({ width: 8, height: 5, bits: 8, colors: 2, samples: new Uint8Array(120) });
  for (const [frame, map] of [['1', depth], ['2', second]] as const) {
    await put(folder, `kitti/depth/train/${drive}/proj_depth/groundtruth/image_02/${frame}.png`, map);
    await put(folder, `kitti/rgb/${drive}/image_02/data/${frame}.png`, color);
  } // prettier-ignore
}

t.test('check: what is there, what was passed over, and the first fault with its file and byte', async (t) => {
  const folder = t.testdir();
  await putMnist(path.join(folder, 'whole'));
  await put(folder, 'whole/mnist/.DS_Store', 'x');
  const whole = await run(['data', 'check', 'mnist', 'whole'], folder);
  t.equal(whole.status, 0, whole.stderr);
  t.match(
    whole.stdout,
    /MNIST in .*whole\/mnist[^]*training images: 2[^]*passed over: 1 hidden.*\.DS_Store[^]*doubt: .*Fashion[^]*no fault/,
  );

  await putMnist(path.join(folder, 'bad'), { 't10k-labels': idx(2049, [2], Uint8Array.of(3, 11)) });
  const bad = await run(['data', 'check', 'mnist', 'bad'], folder);
  t.equal(bad.status, 1);
  t.match(bad.stdout, /training images: 2[^]*first fault: .*t10k-labels-idx1-ubyte\.gz, byte 9: no such digit.*got 11/);

  const page = Buffer.from('<!doctype html><html></html>');
  await putKitti(path.join(folder, 'page'), page);
  const fault = await run(['data', 'check', 'kitti', 'page'], folder);
  t.equal(fault.status, 1);
  t.match(
    fault.stdout,
    /training pairs: 2[^]*pairs read whole: 1 of 2[^]*first fault: .*2\.png, byte 0: a web page, not a PNG file/,
  );
  t.notMatch(fault.stdout, /\[at /, 'no places in our own code');

  await rm(path.join(folder, 'page/kitti/rgb'), { recursive: true });
  const alone = await run(['data', 'check', 'kitti', 'page'], folder);
  t.equal(alone.status, 1);
  t.match(
    alone.stdout,
    /without a picture \(left out\): 2[^]*first fault: there is no picture with its depth map in .*got 2 depth maps/,
  );

  const nothing = await run(['data', 'check', 'kitti', 'whole'], folder);
  t.equal(nothing.status, 2);
  t.match(nothing.stderr, /no KITTI depth prediction in 'whole\/kitti'/);
});

const shared = sharedData('data');
t.test('check of real files', { skip: shared ? false : 'no ../shared/data' }, async (t) => {
  const kitti = await run(['data', 'check', 'kitti', shared!], t.testdir());
  t.equal(kitti.status, 0, kitti.stdout);
  t.match(kitti.stdout, /training pairs: 4[^]*pairs read whole: 4 of 4[^]*no fault/);
  t.notMatch(kitti.stdout, /doubt/);
  const mnist = await run(['data', 'check', 'mnist', shared!], t.testdir());
  t.match(mnist.stdout, /training images: 60000[^]*test images: 10000[^]*no fault/);
  t.notMatch(mnist.stdout, /doubt/);
});

t.test('a training says what was passed over', { skip: shared ? false : 'no ../shared/data' }, async (t) => {
  const folder = t.testdir({ data: { mnist: { '.DS_Store': 'x', 'notes.txt': 'x' } } });
  for (const file of Object.keys(dataSets.mnist!.files)) {
    await symlink(path.join(shared!, 'mnist', file), path.join(folder, 'data/mnist', file));
  }
  const args = ['reproduce', 'dmtl/lambda', '--preset', 'smoke', '--device', 'wasm', '--data', 'data', '--out', 'out'];
  const { status, stderr } = await run(args, folder);
  t.equal(status, 0, stderr);
  t.match(stderr, /dmtl: passed over: 1 hidden or of the system \(\.DS_Store\), 1 of another kind \(notes\.txt\)/);
  t.match((await run(args, folder)).stderr, /3 of 3 runs are on disk already/);
  await rm(path.join(folder, 'data/mnist/notes.txt'));
  t.match((await run(args, folder)).stderr, /3 of 3 runs are on disk already/, 'a note makes no other run');
});

interface Made extends LoadedData {
  readonly wanted: number;
}

let loads = 0;
const passedOver = new PassedOver();
const made: DataSet<Made, number> = {
  ...dataSets.mnist!,
  name: 'made',
  title: 'Made',
  folder: 'made',
  holds: (folder) => Promise.resolve(folder.endsWith('made')),
  load(_, wanted) {
    loads++;
    if (wanted < 0) return Promise.reject(new Error('broken'));
    return Promise.resolve({ name: 'Made', real: true, checksums: { a: 'b' }, passedOver, wanted });
  },
  standIn: (wanted) => ({ name: 'generated', real: false, checksums: {}, wanted }),
  inspect: () => Promise.resolve(['looks odd']),
};

t.test('real data, the stand-in, or a refusal', async (t) => {
  const data = t.testdir({ made: {} });
  const wish = { paper: 'p', preset: 'laptop', data: undefined, request: 3 } as const;
  t.match(await dataFor(made, wish), { real: false, wanted: 3 });
  t.same(await dataFactsFor(made, wish), { name: 'generated', real: false, checksums: {} });
  await t.rejects(dataFor(made, { ...wish, preset: 'paper' }), {
    name: 'ConfigError',
    message: /preset paper of p needs the real Made.*wgrad data fetch made --to DIR/,
  });
  await t.rejects(dataFor(made, { ...wish, data: path.join(data, 'made', 'deeper') }), {
    name: 'DataError',
    message: /no Made in/,
  });
  for (let i = 0; i < 3; i++)
    t.match(await dataFor(made, { ...wish, preset: 'paper', data }), { real: true, wanted: 3 });
  t.equal(loads, 1, 'once for each process');
  await dataFor(made, { ...wish, data, request: 4 });
  t.equal(loads, 2);
  for (let i = 0; i < 2; i++) await t.rejects(dataFor(made, { ...wish, data, request: -1 }), /broken/);
  t.equal(loads, 4, 'what has failed is tried again');
  passedOver.add('stray', '/x/.DS_Store');
  t.same(await dataFactsFor(made, { ...wish, data }), {
    name: 'Made',
    real: true,
    checksums: { a: 'b' },
    remarks: ['passed over: 1 hidden or of the system (.DS_Store)', 'looks odd'],
  });
});

t.test('no preset paper with a stand-in', async (t) => {
  for (const paper of papers.filter(({ name }) => name !== 'imbalanced-mtl')) {
    await t.rejects(paper.dataFacts('paper', undefined), {
      name: 'ConfigError',
      message: new RegExp(`preset paper of ${paper.name}`),
    });
    const { name, real } = await paper.dataFacts('smoke', undefined);
    t.match([name, real], [/^generated/, false]);
  }
});
