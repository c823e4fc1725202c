// Pets: the rules for masks and boxes, batches, the official layout with every kind of damage, the HDF5 store, the drawings; and
// the real pictures, where the folder of shared data is beside the checkout.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { decode, encode } from 'fast-png';
import sharp from 'sharp';
import t from 'tap';
import { DataError, random } from '../../engine/index.ts';
import {
  assembleBatch,
  batchInOrder,
  blockOf,
  chunkedBatches,
  decodeImage,
  decodeTrimap,
  drawPet,
  generatedPets,
  listPets,
  loadOxfordPets,
  maskOfTrimap,
  openPetStore,
  parseHeadBox,
  parsePetList,
  petCohorts,
  type PetSample,
  preparePets,
  readPet,
  resizeNearest,
  scaleBox,
  splitPets,
  trainingBatch,
} from '../../experiments/index.ts';
import { sharedData } from '../shared-data.ts';

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => value === b[i]);

t.test('masks and boxes', (t) => {
  t.same([...maskOfTrimap(Uint8Array.of(1, 2, 3), true, 'f')], [1, 0, 1]);
  t.same([...maskOfTrimap(Uint8Array.of(1, 2, 3), false, 'f')], [1, 0, 0]);
  t.throws(() => maskOfTrimap(Uint8Array.of(1, 0), true, 'a.png'), /a\.png, pixel 1.*got 0/);
  t.same([...resizeNearest(Uint8Array.of(1, 2, 3, 4, 5, 6), 3, 2, 2)], [1, 3, 4, 6], 'centres, not corners');
  t.same(scaleBox([10, 20, 30, 40], 100, 50, 64), [6.4, 25.6, 19.2, 51.2]);
  t.end();
});

const sample = (value: number, size = 4): PetSample => ({
  image: new Uint8Array(3 * size * size).map((_, i) => value + (i % 3) + 3 * (Math.floor(i / 3) % size)),
  mask: new Uint8Array(size * size).map((_, i) => Number(i % size === 0)),
  box: [0, 1, 1, 3],
  species: value % 2,
});

t.test('batches: planes in [0, 1], mirrored with mask and box', (t) => {
  const block = blockOf([sample(10), sample(101)], 4);
  const batch = assembleBatch([block], 4, [1, 0], [0, 1]);
  t.same([batch.count, ...batch.species], [2, 1, 0]);
  const plane = (image: number, channel: number): number[] =>
    [...batch.images.subarray((3 * image + channel) * 16, (3 * image + channel) * 16 + 4)].map((v) =>
      Math.round(255 * v),
    );
  t.same(plane(0, 0), [101, 104, 107, 110]);
  t.same(plane(1, 2), [21, 18, 15, 12], 'mirrored');
  t.same([...batch.masks.subarray(0, 4), ...batch.masks.subarray(16, 20)], [1, 0, 0, 0, 0, 0, 0, 1]);
  t.same([...batch.boxes], [0, 1, 1, 3, 3, 1, 4, 3]);
  t.end();
});

t.test('two levels of shuffling: chunks, then the images of a batch', async (t) => {
  const options = { chunk: 13, chunksPerBatch: 3 };
  const batches = chunkedBatches(2210, options, random(0, 'test'));
  t.equal(batches.length, 57);
  t.equal(batches.at(-1)!.length, 2, 'the last batch has 26 images');
  t.same(
    batches.flat().sort((a, b) => a - b),
    Array.from({ length: 170 }, (_, i) => i),
  );
  t.equal(
    chunkedBatches(29, { chunk: 10, chunksPerBatch: 2 }, random(0, 'test')).flat().length,
    2,
    'the rest is dropped',
  );
  t.equal(chunkedBatches(5, options, random(0, 'test')).length, 1, 'a set smaller than a chunk');
  const source = generatedPets({ train: 12, validation: 1, test: 1 });
  const { train } = await preparePets(source, { size: 16, borderIsPet: true, chunk: 4 }, undefined);
  const of = (seed: number, step: number) =>
    trainingBatch(train, [2, 0], { chunk: 4, chunksPerBatch: 2 }, { seed, step, flip: false });
  const boxes = (batch: { boxes: Float32Array }): string[] =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((i) => batch.boxes.subarray(4 * i, 4 * i + 4).join());
  const whole = batchInOrder(train, 0, 12);
  const wanted = [0, 1, 2, 3, 8, 9, 10, 11].map((i) => whole.boxes.subarray(4 * i, 4 * i + 4).join());
  t.same(boxes(of(0, 0)).sort(), wanted.sort(), 'the images of its chunks alone');
  t.same(of(0, 0), of(0, 0));
  t.notSame(boxes(of(0, 0)), boxes(of(0, 1)), 'another order at another step');
});

t.test('list and split', (t) => {
  const text = '#Image CLASS-ID SPECIES BREED ID\nAbyssinian_1 1 1 1\nbeagle_2 5 2 4\n';
  t.same([...parsePetList(text, 'list.txt')], [['Abyssinian_1', 0], ['beagle_2', 1]]); // prettier-ignore
  t.throws(() => parsePetList(`${text}pug_3 1 7 1\n`, 'list.txt'), /list\.txt, line 4.*pug_3/);
  const names = Array.from({ length: 3686 }, (_, i) => `pet_${i}`);
  const counts = { train: 2210, validation: 738, test: 738 };
  const split = splitPets(names, counts);
  t.same(petCohorts.map((cohort) => split[cohort].length), [2210, 738, 738]); // prettier-ignore
  t.equal(new Set(Object.values(split).flat()).size, 3686);
  t.same(splitPets([...names].reverse(), counts), split, 'the order of the folder does not matter');
  const few = splitPets(names.slice(0, 296), counts);
  t.same(petCohorts.map((cohort) => few[cohort].length), [178, 59, 59]); // prettier-ignore
  t.end();
});

const xml = (box: string, size = '<width>40</width><height>30</height>'): string =>
  `<annotation><size>${size}<depth>3</depth></size><object><name>cat</name><bndbox>${box}</bndbox></object></annotation>`;
const goodBox = '<xmin>5</xmin><ymin>6</ymin><xmax>25</xmax><ymax>30</ymax>';

t.test('head boxes', async (t) => {
  t.same(await parseHeadBox(xml(goodBox), 'a.xml'), { box: [5, 6, 25, 30], width: 40, height: 30 });
  const bad: Record<string, [string, RegExp]> = {
    'broken XML': [xml(goodBox).replace('</object>', ''), /a\.xml, line 1: not valid XML/],
    'an empty file': ['', /a\.xml/],
    'no object': ['<annotation><size><width>4</width><height>3</height></size></annotation>', /'xmin' is not a number/],
    'no size': [xml(goodBox, ''), /'width' is not a number/],
    words: [xml(goodBox.replace('25', 'wide')), /'xmax' is not a number.*wide/],
    outside: [xml(goodBox.replace('25', '41')), /outside its picture.*within 40 x 30/],
    'turned round': [xml(goodBox.replace('25', '3')), /empty or outside/],
  };
  for (const [name, [text, pattern]] of Object.entries(bad)) {
    await t.rejects(parseHeadBox(text, 'a.xml'), pattern, name);
    await t.rejects(parseHeadBox(text, 'a.xml'), DataError, name);
  }
});

const [width, height] = [40, 30];
const flat = () => sharp({ create: { width, height, channels: 3, background: { r: 200, g: 60, b: 20 } } });

/** A data set of `count` pictures in the official layout. */
async function makePets(data: string, count: number): Promise<string> {
  const folder = path.join(data, 'oxford-iiit-pet');
  for (const part of ['images', 'annotations/trimaps', 'annotations/xmls'])
    mkdirSync(path.join(folder, part), { recursive: true });
  const list = ['#Image CLASS-ID SPECIES BREED ID'];
  for (let i = 0; i < count; i++) {
    writeFileSync(path.join(folder, 'images', `Pet_${i}.jpg`), await flat().jpeg().toBuffer());
    const trimap = new Uint8Array(width * height).map((_, at) => 1 + ((at + i) % 3));
    const png = encode({ width, height, data: trimap, channels: 1, depth: 8 });
    writeFileSync(path.join(folder, 'annotations/trimaps', `Pet_${i}.png`), png);
    writeFileSync(path.join(folder, 'annotations/xmls', `Pet_${i}.xml`), xml(goodBox));
    list.push(`Pet_${i} 1 ${1 + (i % 2)} 1`);
  }
  writeFileSync(path.join(folder, 'annotations/list.txt'), list.join('\n'));
  return folder;
}

const options = { size: 16, borderIsPet: true };
const counts = { train: 6, validation: 2, test: 2 };

t.test('the official layout', async (t) => {
  const data = t.testdir();
  const folder = await makePets(data, 10);
  const source = await loadOxfordPets(data, counts);
  t.match(source, { name: 'Oxford-IIIT Pet (10 of its 3686 head boxes)', real: true, counts });
  t.match(source.checksums.samples, /^[0-9a-f]{64}$/);
  const pet = await readPet(folder, 'Pet_3', 1, options);
  t.same(pet.box, [2, 3.2, 10, 16]);
  t.same(pet.image.slice(0, 3).map((value, i) => Math.abs(value - [200, 60, 20][i]!)).filter((d) => d > 3), []); // prettier-ignore
  const trimap = (await decodeTrimap(path.join(folder, 'annotations/trimaps/Pet_3.png'))).data;
  t.ok(
    trimap.every((value, at) => value === 1 + ((at + 3) % 3)),
    'trimaps come out as they are in the file',
  );
  t.ok(
    same(
      pet.mask,
      resizeNearest(trimap, width, height, 16).map((value) => Number(value !== 2)),
    ),
  );

  const write = (name: string, content: string | Uint8Array): void => writeFileSync(path.join(folder, name), content);
  write('annotations/trimaps/Pet_0.png', encode({ width, height, data: new Uint8Array(width * height), channels: 1 }));
  await t.rejects(readPet(folder, 'Pet_0', 0, options), /Pet_0\.png, pixel 0: no such class/);
  write('annotations/trimaps/Pet_0.png', encode({ width: 2, height: 2, data: Uint8Array.of(1, 1, 1, 1), channels: 1 }));
  await t.rejects(readPet(folder, 'Pet_0', 0, options), /Pet_0\.png: the picture has another size.*40 x 30.*2 x 2/);
  write('annotations/xmls/Pet_1.xml', xml(goodBox, '<width>41</width><height>30</height>'));
  await t.rejects(readPet(folder, 'Pet_1', 0, options), /Pet_1\.xml: the picture has another size/);
  write('images/Pet_2.jpg', 'not a picture');
  await t.rejects(readPet(folder, 'Pet_2', 0, options), /Pet_2\.jpg is not a whole picture/);
  const whole = readFileSync(path.join(folder, 'images/Pet_4.jpg'));
  write('images/Pet_4.jpg', whole.subarray(0, whole.length - 60));
  await t.rejects(readPet(folder, 'Pet_4', 0, options), DataError, 'a JPEG that ends too early');
  await t.rejects(
    readPet(folder, 'Pet_99', 0, options),
    /Pet_99\.xml cannot be read.*wgrad data fetch oxford-iiit-pet/,
  );

  const names = readdirSync(path.join(folder, 'images'));
  t.equal(names.length, 10);
  cpSync(path.join(folder, 'annotations/xmls/Pet_5.xml'), path.join(folder, 'annotations/xmls/Pet_77.xml'));
  rmSync(path.join(folder, 'annotations/trimaps/Pet_6.png'));
  const list = path.join(folder, 'annotations/list.txt');
  writeFileSync(list, readFileSync(list, 'utf8').replace('Pet_7 1 2 1', ''));
  const { species, skipped } = await listPets(folder);
  t.equal(species.size, 8);
  t.same([...skipped], [['trimap', ['Pet_6']], ['entry', ['Pet_7']], ['picture', ['Pet_77']]]); // prettier-ignore
  const left = '1 without trimap left out, 1 without entry left out, 1 without picture left out';
  t.match((await loadOxfordPets(data, counts)).name, `8 of its 3686 head boxes, ${left}`);
  await t.rejects(loadOxfordPets(t.testdir(), counts), DataError);
});

t.test('grey and CMYK pictures come out as RGB', async (t) => {
  const folder = t.testdir();
  for (const [name, space] of [
    ['grey', 'b-w'],
    ['cmyk', 'cmyk'],
  ] as const) {
    const file = path.join(folder, `${name}.jpg`);
    writeFileSync(file, await flat().toColourspace(space).jpeg().toBuffer());
    t.equal((await sharp(file).metadata()).space, space);
    const { data, width: w, height: h } = await decodeImage(file, 8);
    t.same([data.length, w, h], [192, 40, 30]);
    const [r, g, b] = data as unknown as [number, number, number];
    if (name === 'grey') t.ok(r === g && g === b && r > 50 && r < 200, `${r} ${g} ${b}`);
    else t.ok(r > g && g > b, `${r} ${g} ${b} is still a red`);
  }
});

t.test('the HDF5 store: written, read, checked, made again', async (t) => {
  const cache = t.testdir();
  const source = generatedPets({ train: 7, validation: 3, test: 2 });
  const settings = { size: 16, borderIsPet: true, chunk: 3 };
  const memory = await preparePets(source, settings, undefined);
  const check = (store: typeof memory): void => {
    for (const cohort of petCohorts) {
      t.equal(store[cohort].count, source.counts[cohort]);
      const [a, b] = [store, memory].map((each) => each[cohort].read(1, source.counts[cohort]));
      for (const part of ['images', 'masks', 'boxes', 'species'] as const)
        t.ok(same(a![part], b![part]), `${cohort} ${part}`);
    }
  };
  check(await preparePets(source, settings, cache));
  const [folder] = readdirSync(cache) as [string];
  const file = path.join(cache, folder, 'train', 'images.h5');
  const before = readFileSync(file);
  check(await openPetStore(path.join(cache, folder)));
  t.equal(before.subarray(1, 4).toString(), 'HDF', 'the file format is HDF5');

  truncateSync(file, before.length - 100);
  await t.rejects(openPetStore(path.join(cache, folder)), /images\.h5 is damaged.*SHA-256/);
  check(await preparePets(source, settings, cache));
  t.ok(readFileSync(file).length === before.length, 'a store that is cut off is made again');
  await t.rejects(openPetStore(path.join(cache, folder), 'other data'), /was made from other data/);
  await t.rejects(openPetStore(cache), /is not a store/);

  // A store that was changed on purpose, its checksums along.
  const copy = path.join(cache, folder, 'copy');
  for (const part of ['store.json', ...petCohorts]) {
    cpSync(path.join(cache, folder, part), path.join(copy, part), { recursive: true });
  }
  const manifestFile = path.join(copy, 'store.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as { checksums: Record<string, string> };
  const change = (what: object): void => writeFileSync(manifestFile, JSON.stringify({ ...manifest, ...what }));
  const changed: [object, RegExp][] = [
    [{ size: 8 }, /train\/images\.h5 has no dataset 'images_chunk'.*expected 7 x 8 x 8 x 3/],
    [{ size: '16' }, /is not a store of pets/],
    [{ counts: { train: 8, validation: 3, test: 2 } }, /expected 8 x 16 x 16 x 3 of <B, got 7 x 16/],
    [{ counts: { train: 7 } }, /is not a store of pets/],
    [{ checksums: {} }, /images\.h5 is damaged/],
  ];
  for (const [what, pattern] of changed) {
    change(what);
    await t.rejects(openPetStore(copy), { name: 'DataError', message: pattern });
  }
  const h5wasm = await import('h5wasm/node');
  await h5wasm.ready;
  const masks = path.join(copy, 'train', 'masks.h5');
  rmSync(masks);
  const wide = new h5wasm.File(masks, 'w');
  wide.create_dataset({ name: 'masks_chunk', data: new Float32Array(7 * 256), shape: [7, 16, 16, 1], dtype: '<f' });
  wide.close();
  const sum = createHash('sha256').update(readFileSync(masks)).digest('hex');
  change({ checksums: { ...manifest.checksums, 'train/masks.h5': sum } });
  await t.rejects(openPetStore(copy), /masks\.h5 has no dataset.*of <B, got 7 x 16 x 16 x 1 of <f/);

  const other = path.join(cache, 'other');
  const both = await Promise.all([1, 2].map(() => preparePets(source, settings, other)));
  both.forEach(check);
  t.equal(readdirSync(other).length, 1, 'two that make the same store at once');

  await preparePets(source, { ...settings, borderIsPet: false }, cache);
  await preparePets(generatedPets(source.counts, 1), { ...settings, size: 32 }, cache);
  t.equal(readdirSync(cache).length, 4, 'other options and sources have stores of their own');
});

t.test('generated pets', async (t) => {
  const species = [0, 0];
  let cats = 0;
  for (let i = 0; i < 24; i++) {
    const { image, trimap, box, ...rest } = drawPet(random(0, 'generated pets, train', i), 64);
    species[rest.species]!++;
    const [x1, y1, x2, y2] = box;
    t.ok(0 <= x1 && x1 < x2 && x2 <= 64 && 0 <= y1 && y1 < y2 && y2 <= 64, `box ${box.join()}`);
    const pet = trimap.filter((value) => value === 1).length;
    t.ok(pet > 100 && trimap.includes(2) && trimap.includes(3));
    const inHead = maskOfTrimap(trimap, true, '').filter((value, at) => {
      const [x, y] = [at % 64, Math.floor(at / 64)];
      return value && x >= x1 && x < x2 && y >= y1 && y < y2;
    }).length;
    t.ok(inHead > 0.5 * (x2 - x1) * (y2 - y1), 'the box is mostly pet');
    t.ok(new Set(image).size > 30);
    cats += Number(rest.species === 0);
  }
  t.ok(cats > 4 && cats < 20);
  const source = generatedPets({ train: 2, validation: 2, test: 2 });
  t.same(await source.sample('train', 1, options), await source.sample('train', 1, options));
  t.notSame(await source.sample('train', 1, options), await source.sample('test', 1, options), 'cohorts differ');
});

const shared = sharedData('data/oxford-iiit-pet');
t.test('the real pictures', { skip: shared ? false : 'no ../shared/data/oxford-iiit-pet' }, async (t) => {
  const { species, skipped } = await listPets(shared!);
  t.same([species.size, [...skipped]], [296, []]);
  const source = await loadOxfordPets(sharedData('data')!, { train: 2210, validation: 738, test: 738 });
  t.same(source.counts, { train: 178, validation: 59, test: 59 });
  t.match(source.name, /296 of its 3686/);
  for (const name of ['Bengal_105', 'Abyssinian_1', 'american_bulldog_10']) {
    const pet = await readPet(shared!, name, species.get(name)!, { size: 64, borderIsPet: true });
    const share = pet.mask.reduce((sum, value) => sum + value, 0) / pet.mask.length;
    t.ok(share > 0.05 && share < 0.95, `${name}: ${share} of the picture is pet`);
    t.ok(pet.box.every((value) => value >= 0 && value <= 64));
    t.equal(pet.species, Number(name.startsWith('a')));
    const file = path.join(shared!, 'annotations/trimaps', `${name}.png`);
    t.ok(same((await decodeTrimap(file)).data, decode(readFileSync(file)).data), 'as another decoder reads it');
  }
  const bengal = await parseHeadBox(
    readFileSync(path.join(shared!, 'annotations/xmls/Bengal_105.xml'), 'utf8'),
    'Bengal_105.xml',
  );
  t.same(bengal.box, [49, 125, 111, 168], 'of two heads the first');
});
