// Folders as people have them: what macOS, Windows and people leave beside the data is passed over, counted and told; capitals, links,
// nested and renamed folders are found; cohorts that share a file are refused.
import { existsSync } from 'node:fs';
import { cp, mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import {
  type DataSetRecord,
  encodeColorPng,
  encodeDepthPng,
  filesIn,
  folderOf,
  foldersIn,
  kitti,
  listDrives,
  listPets,
  listSelection,
  loadMnist,
  loadOxfordPets,
  mnist,
  oxfordPets,
  PassedOver,
  readFrame,
  readPet,
} from '../../../experiments/index.ts';
import { foreign, pngOf, put, smallMnist } from './files.ts';

const apple = Buffer.from([0, 5, 22, 7, 0, 2, 0, 0]);
const drive = '2011_09_26_drive_0001_sync';
const maps = `depth/train/${drive}/proj_depth/groundtruth/image_02`;
const pictures = `rgb/${drive}/image_02/data`;
const selection = 'depth_selection/val_selection_cropped';

const [width, height] = [12, 10];
const color = (seed: number): Promise<Buffer> =>
  encodeColorPng({ width, height, data: Uint8Array.from({ length: 360 }, (_, i) => (i * seed) % 256) });
const depth = (seed: number, value = (i: number): number => (i % 5 === 0 ? 2560 + i : 0)): Promise<Buffer> =>
  encodeDepthPng({ width, height, data: Uint16Array.from({ length: 120 }, (_, i) => value(i) && value(i) + seed) });

/** A KITTI of two training pairs and one of validation. */
async function makeKitti(root: string): Promise<void> {
  for (const frame of [5, 6]) {
    await put(root, `${maps}/000000000${frame}.png`, await depth(frame));
    await put(root, `${pictures}/000000000${frame}.png`, await color(frame));
  }
  await put(root, `${selection}/image/${drive}_image_0000000007_image_02.png`, await color(7));
  await put(root, `${selection}/groundtruth_depth/${drive}_groundtruth_depth_0000000007_image_02.png`, await depth(7));
}

t.test('a listing passes over strays, counts them, and compares extensions without capitals', async (t) => {
  const folder = t.testdir();
  for (const name of [
    'b.png',
    'A.PNG',
    'a.Png',
    '.DS_Store',
    '._b.png',
    'Thumbs.db',
    'desktop.ini',
    'notes.txt',
    'b.png.bak',
  ])
    await put(folder, name, 'x');
  await mkdir(path.join(folder, 'deep.png'));
  await mkdir(path.join(folder, '__MACOSX'));
  await symlink(path.join(folder, 'b.png'), path.join(folder, 'linked.png'));
  await symlink(path.join(folder, 'nowhere'), path.join(folder, 'broken.png'));
  await symlink(path.join(folder, 'deep.png'), path.join(folder, 'drive'));
  const passedOver = new PassedOver();
  const files = await filesIn(folder, ['.png'], passedOver);
  t.same(files.map(({ stem }) => stem), ['A', 'a', 'b', 'linked']); // prettier-ignore
  t.equal(files[0]!.path, path.join(folder, 'A.PNG'));
  t.equal(passedOver.count, 10);
  t.match(
    passedOver.describe(),
    /^passed over: 5 hidden or of the system \(\.DS_Store, \._b\.png, Thumbs\.db, \.\.\.\)/,
  );
  t.match(passedOver.describe(), /2 of another kind \(b\.png\.bak, notes\.txt\)/);
  t.match(passedOver.describe(), /1 link to nothing \(broken\.png\)/);
  t.match(passedOver.describe(), /2 folder in place of a file \(deep\.png, drive\)/);
  t.same(await foldersIn(folder, new PassedOver()), ['deep.png', 'drive']);
  t.same(await filesIn(path.join(folder, 'nowhere'), ['.png'], passedOver), [], 'no folder, no files');
  await t.rejects(filesIn(path.join(folder, 'b.png'), ['.png'], passedOver), { name: 'DataError', message: /ENOTDIR/ });
  t.equal(new PassedOver().describe(), undefined);
  await put(folder, 'same.png', 'x');
  // Some file systems take capitals for the same.
  if (existsSync(path.join(folder, 'SAME.png'))) return;
  await put(folder, 'same.PNG', 'x');
  const twice = new PassedOver();
  t.equal((await filesIn(folder, ['.png'], twice)).filter(({ stem }) => stem === 'same').length, 1);
  t.match(twice.describe(), /1 with the name of another \(same\.png\)/);
});

t.test('KITTI with strays in every folder is the same pairs', async (t) => {
  const root = t.testdir();
  await makeKitti(root);
  const clean = [await listDrives(root, 'train'), await listSelection(root)];
  t.same(clean.map(({ pairs, passedOver }) => [pairs.length, passedOver.count]), [[2, 0], [1, 0]]); // prettier-ignore
  const strays = [
    'depth/train/.DS_Store', 'depth/train/readme.txt', 'depth/train/Thumbs.db', `depth/train/.${drive}/x`,
    `${maps}/._0000000005.png`, `${pictures}/._0000000005.png`, `${maps}/notes.md`, `${pictures}/0000000005.jpg`,
    `${selection}/image/._${drive}_image_0000000007_image_02.png`, `${selection}/image/Thumbs.db`,
    `${selection}/groundtruth_depth/._${drive}_groundtruth_depth_0000000007_image_02.png`,
    `${selection}/groundtruth_depth/.DS_Store`,
  ]; // prettier-ignore
  for (const stray of strays) await put(root, stray, apple);
  await mkdir(path.join(root, 'depth/train/2011_09_26_drive_0009_sync/proj_depth'), { recursive: true });
  const found = [await listDrives(root, 'train'), await listSelection(root)];
  t.same(found.map(({ pairs }) => pairs), clean.map(({ pairs }) => pairs)); // prettier-ignore
  t.equal(
    found.reduce((sum, { passedOver }) => sum + passedOver.count, 0),
    strays.length + 1,
  );
  t.match(found[0]!.passedOver.describe(), /1 empty folder \(2011_09_26_drive_0009_sync\)/);
  for (const { pairs } of found) for (const pair of pairs) await readFrame(pair);
  const facts = await kitti.load(root, { trainCount: 9, validationCount: 9 });
  t.equal(
    facts.name,
    'KITTI depth prediction, 2 training and 1 validation frames',
    'the name is that of the clean folder',
  );
  t.equal(facts.passedOver!.count, strays.length + 1);
});

t.test('KITTI in capitals, by links and unpacked elsewhere', async (t) => {
  const root = path.join(t.testdir(), 'one');
  await put(root, `${maps}/0000000005.PNG`, await depth(5));
  await put(root, `raw/2011_09_26/${drive}/image_02/data/0000000005.png`, await color(5));
  await put(root, `${maps}/0000000006.png`, await depth(6));
  await put(root, `raw/2011_09_26/${drive}/image_02/data/0000000006.PNG`, await color(6));
  const { pairs, missing } = await listDrives(root, 'train');
  t.same([pairs.map(({ name }) => name.slice(-1)), missing], [['5', '6'], []]); // prettier-ignore
  for (const pair of pairs) await readFrame(pair);
  const linked = path.join(root, '..', 'linked');
  await mkdir(linked);
  await symlink(path.join(root, 'depth'), path.join(linked, 'depth'));
  await symlink(path.join(root, 'raw'), path.join(linked, 'raw'));
  t.equal((await listDrives(linked, 'train')).pairs.length, 2);
  const elsewhere = path.join(root, '..', 'elsewhere');
  await cp(path.join(root, 'depth/train'), path.join(elsewhere, 'train'), { recursive: true });
  await cp(path.join(root, 'raw/2011_09_26'), path.join(elsewhere, '2011_09_26'), { recursive: true });
  t.equal((await listDrives(elsewhere, 'train')).pairs.length, 2);
});

t.test('a data set is found below its name, in it twice, in capitals, and in the folder itself', async (t) => {
  const data = t.testdir();
  const cases: Record<string, readonly [DataSetRecord, string, string]> = {
    'below its name': [kitti, 'a', 'a/kitti'],
    'in capitals': [kitti, 'b', 'b/KITTI'],
    'twice': [kitti, 'c', 'c/kitti/kitti'], // prettier-ignore
    'the folder itself': [kitti, 'd/somewhere', 'd/somewhere'],
    'pets twice': [oxfordPets, 'e', 'e/Oxford-IIIT-Pet/oxford-iiit-pet'],
  };
  for (const [name, [set, given, place]] of Object.entries(cases)) {
    await mkdir(path.join(data, place, set === kitti ? maps : 'annotations'), { recursive: true });
    t.equal(await folderOf(set, path.join(data, given)), path.join(data, place), name);
  }
  await mkdir(path.join(data, 'empty'));
  await t.rejects(folderOf(kitti, path.join(data, 'empty')), { name: 'DataError', message: /no KITTI.*empty\/kitti'/ });
  await t.rejects(folderOf(kitti, path.join(data, 'none')), { message: /no folder '.*none'/ });
  const zip = await put(data, 'kitti.zip', foreign['a zip archive']!.bytes);
  await t.rejects(folderOf(kitti, zip), { message: /a zip archive in place of a folder/ });
  await put(data, 'packed/kitti/data_depth_annotated.ZIP', 'x');
  await put(data, 'packed/images.tar.gz', 'x');
  await t.rejects(folderOf(kitti, path.join(data, 'packed')), {
    message: /got .*images\.tar\.gz, .*data_depth_annotated\.ZIP, not unpacked/,
  });
  await mkdir(path.join(data, 'both/kitti'), { recursive: true });
  if (existsSync(path.join(data, 'both/Kitti'))) return;
  await mkdir(path.join(data, 'both/Kitti', maps), { recursive: true });
  t.equal(await folderOf(kitti, path.join(data, 'both')), path.join(data, 'both/Kitti'), 'the one that holds it');
});

/** The names of a file of MNIST under which it is accepted. */
const mnistLayouts: Readonly<Record<string, (role: string, axes: number) => string>> = {
  'official': (role, axes) => `mnist/${role}-idx${axes}-ubyte.gz`, // prettier-ignore
  'unpacked': (role, axes) => `mnist/${role}-idx${axes}-ubyte`, // prettier-ignore
  'with a dot': (role, axes) => `mnist/${role}.idx${axes}-ubyte`,
  'with a dot, gzipped': (role, axes) => `mnist/${role}.idx${axes}-ubyte.gz`,
  'in capitals': (role, axes) => `MNIST/${role.toUpperCase()}-IDX${axes}-UBYTE.GZ`,
  'of torchvision': (role, axes) => `MNIST/raw/${role}-idx${axes}-ubyte`,
  'of torchvision, below mnist': (role, axes) => `mnist/MNIST/raw/${role}-idx${axes}-ubyte.gz`,
  'each in a folder of its name': (role, axes) => `mnist/${role}-idx${axes}-ubyte/${role}-idx${axes}-ubyte`,
  'in the folder itself': (role, axes) => `${role}-idx${axes}-ubyte`,
};

async function putMnist(folder: string, nameOf: (role: string, axes: number) => string): Promise<void> {
  for (const [role, content] of Object.entries(smallMnist())) {
    const name = nameOf(role, role.endsWith('images') ? 3 : 1);
    await put(folder, name, /\.gz$/i.test(name) ? gzipSync(content) : content);
  }
}

t.test('MNIST as users have it', async (t) => {
  for (const [name, nameOf] of Object.entries(mnistLayouts)) {
    const folder = path.join(t.testdir(), name.replace(/\W/g, '-'));
    await putMnist(folder, nameOf);
    const source = await loadMnist(folder);
    t.same([source.label('train', 1), source.available('test')], [2, 2], name);
    t.equal(source.passedOver!.count, 0, `${name}: ${source.passedOver!.describe()}`);
    t.same(source.pixels('train', 0)[3], Math.fround(0.2), name);
    t.same(Object.keys(source.checksums).map((key) => key.toLowerCase().slice(0, 8)), ['train-im', 'train-la', 't10k-ima', 't10k-lab']); // prettier-ignore
    const inner = path.dirname(path.join(folder, nameOf('train-images', 3)));
    if (!name.startsWith('each'))
      t.equal((await loadMnist(inner)).label('train', 1), 2, `${name}: the folder of the files`);
  }
});

t.test('MNIST with strays, twice, or in part', async (t) => {
  const folder = t.testdir();
  await putMnist(folder, mnistLayouts.official!);
  await putMnist(folder, mnistLayouts.unpacked!);
  for (const stray of ['.DS_Store', '._train-images-idx3-ubyte.gz', 'readme.txt', 'train-images.zip'])
    await put(folder, `mnist/${stray}`, apple);
  const source = await loadMnist(folder);
  t.ok('train-images-idx3-ubyte.gz' in source.checksums, 'the published name comes first');
  t.match(source.passedOver!.describe(), /2 hidden.*2 of another kind.*4 with the name of another/);
  for (const name of ['', '.gz']) await rm(path.join(folder, `mnist/t10k-labels-idx1-ubyte${name}`));
  await t.rejects(loadMnist(folder), {
    message: /lacks 1 of the four files.*t10k-labels-idx1-ubyte, gzipped or not.*wgrad data fetch/,
  });
});

t.test('what is given in place of MNIST is called what it is', async (t) => {
  for (const [name, { bytes, called }] of Object.entries(foreign)) {
    for (const ending of ['', '.gz']) {
      const folder = path.join(t.testdir(), `${name.replace(/\W/g, '-')}${ending}`);
      await putMnist(folder, mnistLayouts[ending ? 'official' : 'unpacked']!);
      await put(folder, `mnist/train-labels-idx1-ubyte${ending}`, bytes);
      await t.rejects(loadMnist(folder), { name: 'DataError', message: called }, name);
      await t.rejects(loadMnist(folder), { message: /train-labels-idx1-ubyte(\.gz)?, byte \d+/ }, name);
    }
  }
});

const xml =
  '<annotation><size><width>40</width><height>30</height></size><object><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>25</xmax>' +
  '<ymax>30</ymax></bndbox></object></annotation>';

async function makePets(root: string, count: number, [jpg, png] = ['.jpg', '.png']): Promise<void> {
  const list: string[] = [];
  for (let i = 0; i < count; i++) {
    const background = { r: 20 * i, g: 60, b: 20 };
    const image = await sharp({ create: { width: 40, height: 30, channels: 3, background } })
      .jpeg()
      .toBuffer();
    await put(root, `images/Pet_${i}${jpg}`, image);
    const samples = Uint8Array.from({ length: 1200 }, (_, at) => 1 + ((at + i) % 3));
    await put(
      root,
      `annotations/trimaps/Pet_${i}${png}`,
      pngOf({ width: 40, height: 30, bits: 8, colors: 0, samples }),
    );
    await put(root, `annotations/xmls/Pet_${i}.xml`, xml);
    list.push(`Pet_${i} 1 ${1 + (i % 2)} 1`);
  }
  await put(root, 'annotations/list.txt', list.join('\n'));
}

const counts = { train: 4, validation: 1, test: 1 };

t.test('pets with strays, in capitals, and in folders twice', async (t) => {
  const data = t.testdir();
  const root = path.join(data, 'oxford-iiit-pet');
  await makePets(root, 6);
  const clean = await loadOxfordPets(data, counts);
  for (const stray of ['images/._Pet_0.jpg', 'images/Thumbs.db', 'annotations/trimaps/._Pet_0.png', 'annotations/xmls/._Pet_0.xml', 'annotations/xmls/.DS_Store', 'annotations/xmls/notes.txt'])
    await put(root, stray, apple); // prettier-ignore
  const found = await loadOxfordPets(data, counts);
  t.same([found.name, found.checksums, found.counts], [clean.name, clean.checksums, clean.counts]);
  t.match(found.passedOver!.describe(), /5 hidden.*1 of another kind \(notes\.txt\)/);

  const capitals = path.join(data, 'capitals');
  await makePets(capitals, 6, ['.JPG', '.PNG']);
  t.equal((await listPets(capitals)).species.size, 6);
  t.same((await readPet(capitals, 'Pet_3', 1, { size: 16, borderIsPet: true })).box, [2, 3.2, 10, 16]);

  const twice = path.join(data, 'twice', 'oxford-iiit-pet');
  await cp(path.join(root, 'images'), path.join(twice, 'images/images'), { recursive: true });
  await cp(path.join(root, 'annotations'), path.join(twice, 'annotations/annotations'), { recursive: true });
  t.same((await loadOxfordPets(path.join(data, 'twice'), counts)).checksums, clean.checksums);

  for (const [name, { bytes, called }] of Object.entries(foreign)) {
    if (name.startsWith('text')) continue;
    const read = (): Promise<unknown> => readPet(root, 'Pet_1', 0, { size: 16, borderIsPet: true });
    for (const file of ['images/Pet_1.jpg', 'annotations/trimaps/Pet_1.png', 'annotations/xmls/Pet_1.xml']) {
      const kept = path.join(data, 'kept');
      await cp(path.join(root, file), kept);
      await put(root, file, bytes);
      // An XML document is what a head box should be; this one has none.
      const pattern = file.endsWith('.xml') && called.test('an XML document') ? /'width' is not a number/ : called;
      await t.rejects(read(), { name: 'DataError', message: pattern }, `${file}: ${name}`);
      await t.rejects(read(), { message: new RegExp(path.basename(file)) }, `${file}: ${name}`);
      await cp(kept, path.join(root, file));
    }
  }
});

/** Loads and inspects, as a paper does before a training. */
const inspected = async (root: string): Promise<readonly string[]> =>
  kitti.inspect!(await kitti.load(root, { trainCount: 9, validationCount: 9 }));

t.test('cohorts that share a file are refused', async (t) => {
  const root = t.testdir();
  await makeKitti(root);
  t.same(await inspected(root), []);
  const shared = async (t: Test, from: string, to: string): Promise<void> => {
    await cp(path.join(root, to), path.join(root, '..', 'kept.png'));
    await cp(path.join(root, from), path.join(root, to));
    await t.rejects(inspected(root), {
      name: 'DataError',
      message: /training frames and the validation frames.*share a file.*0000000005\.png/,
    });
    t.match((await kitti.check(root, () => undefined)).fault, { message: /share a file/ });
    await cp(path.join(root, '..', 'kept.png'), path.join(root, to));
  };
  await shared(t, `${pictures}/0000000005.png`, `${selection}/image/${drive}_image_0000000007_image_02.png`);
  await shared(
    t,
    `${maps}/0000000005.png`,
    `${selection}/groundtruth_depth/${drive}_groundtruth_depth_0000000007_image_02.png`,
  );
  t.same(await inspected(root), []);

  const digits = path.join(root, '..', 'digits');
  await putMnist(digits, mnistLayouts.official!);
  const source = await mnist.load(path.join(digits, 'mnist'), { train: 2, validation: 0, test: 2 });
  t.match(await mnist.inspect!(source), [/not the published MNIST: train-images.*Fashion-MNIST/]);
  await put(digits, 'mnist/t10k-images-idx3-ubyte.gz', gzipSync(smallMnist()['train-images']!, { level: 1 }));
  const copied = await mnist.load(path.join(digits, 'mnist'), { train: 2, validation: 0, test: 2 });
  await t.rejects(Promise.resolve(mnist.inspect!(copied)), {
    message: /training and the test set of MNIST share a file/,
  });
});

t.test('depth maps that do not look like those of KITTI are doubted aloud', async (t) => {
  const doubted: Record<string, [(i: number) => number, RegExp]> = {
    'millimetres': [(i) => (i % 5 === 0 ? 12_000 + 100 * i : 0), /2 of 3 depth maps.*look like millimetres.*0000000005/], // prettier-ignore
    '65535 for no measurement': [(i) => (i % 5 === 0 ? 2560 : i % 7 === 0 ? 65_535 : 0), /65535/],
    'a rendered map': [(i) => 2560 + i, /are dense, with more than 40 %.*rendered/],
    'a raw scan': [(i) => (i % 30 === 0 ? 2560 + i : 0), /are sparse, with less than 7 %.*raw LiDAR.*velodyne_raw/],
    'nothing measured': [() => 0, /measure nothing/],
  };
  for (const [name, [value, pattern]] of Object.entries(doubted)) {
    const root = path.join(t.testdir(), name.replace(/\W/g, '-'));
    await makeKitti(root);
    for (const frame of [5, 6]) await put(root, `${maps}/000000000${frame}.png`, await depth(frame - 5, value));
    t.match(await inspected(root), [pattern], name);
    const { doubts, fault } = await kitti.check(root, () => undefined);
    t.match([doubts, fault], [[pattern], undefined], name);
  }
});
