// PNG readers against files that are wrong, unusual or damaged in one place: a depth map, a map of classes or a picture comes out right,
// or is refused with its file.
import path from 'node:path';
import { decode } from 'fast-png';
import sharp from 'sharp';
import t from 'tap';
import { DataError } from '../../../engine/index.ts';
import { decodeTrimap, readColorPng, readDepthPng, readFrame, readLabelPng } from '../../../experiments/index.ts';
import { chunk, foreign, PNG_SIGNATURE, pngOf, type PngParts, put } from './files.ts';

const folder = t.testdir();
const [width, height] = [5, 3];
const depth = Uint16Array.from(
  { length: 15 },
  (_, i) => [0, 255, 256, 257, 65_535, 2560, 1, 30_000][i % 8]! + (i >> 3),
);
const classes = Uint8Array.from({ length: 15 }, (_, i) => 1 + (i % 3));
const map16: PngParts = { width, height, bits: 16, colors: 0, samples: depth };
const map8: PngParts = { width, height, bits: 8, colors: 0, samples: classes };
const palette = chunk(
  'PLTE',
  Array.from({ length: 3 * 4 }, (_, i) => 20 * i),
);

/** The chunk of a colour profile, as a picture of another program has it. */
const picture = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
  .withIccProfile('p3')
  .png()
  .toBuffer();
const profileAt = picture.indexOf('iCCP') - 4;
const profile = picture.subarray(profileAt, profileAt + 12 + picture.readUInt32BE(profileAt));

/** Chunks that say something about the values and must not change them. */
const remarks: Readonly<Record<string, Buffer>> = {
  'the transparent value 0': chunk('tRNS', [0, 0]),
  'the transparent value 65535': chunk('tRNS', [255, 255]),
  'a gamma of 1': chunk('gAMA', [0, 1, 134, 160]),
  'a gamma of 1/2.2': chunk('gAMA', [0, 0, 177, 143]),
  'sRGB': chunk('sRGB', [0]), // prettier-ignore
  'chromaticities': chunk('cHRM', Buffer.alloc(32, 1)), // prettier-ignore
  '12 significant bits': chunk('sBIT', [8]),
  'a colour profile': profile,
  'a background': chunk('bKGD', [0, 0]),
  'a time and a text': Buffer.concat([
    chunk('tIME', [7, 208, 1, 1, 0, 0, 0]),
    chunk('tEXt', Buffer.from('Software\0x')),
  ]),
};

t.test('a depth map is its 16-bit values, whatever else the file says', async (t) => {
  for (const [name, extra] of Object.entries(remarks)) {
    const file = await put(folder, 'depth.png', pngOf({ ...map16, extra: [extra] }));
    const found = await readDepthPng(file);
    t.same([found.width, found.height, found.data.join()], [width, height, depth.join()], name);
  }
  const interlaced = await sharp(depth, { raw: { width, height, channels: 1 } })
    .toColourspace('grey16')
    .png({ progressive: true })
    .toBuffer();
  t.equal(interlaced[28], 1, 'it is interlaced');
  t.equal((await readDepthPng(await put(folder, 'interlaced.png', interlaced))).data.join(), depth.join());
  const trailing = Buffer.concat([pngOf(map16), Buffer.from('a note after the end')]);
  t.equal((await readDepthPng(await put(folder, 'trailing.png', trailing))).data.join(), depth.join());
});

const ramp = (count: number, largest: number): number[] =>
  Array.from({ length: count }, (_, i) => (7 * i) % (largest + 1));

t.test('what is no depth map is refused with its file', async (t) => {
  const refused: Record<string, [Buffer, RegExp]> = {
    'a palette': [pngOf({ ...map8, colors: 3, extra: [palette] }), /8-bit palette/],
    '8 bits': [pngOf(map8), /8-bit grey.*keeps 8 bits of 16/],
    '4 bits': [pngOf({ ...map8, bits: 4, samples: ramp(15, 15) }), /4-bit grey/],
    '1 bit': [pngOf({ ...map8, bits: 1, samples: ramp(15, 1) }), /1-bit grey/],
    'grey and alpha': [pngOf({ ...map16, colors: 4, samples: ramp(30, 65_535) }), /16-bit grey \+ alpha/],
    'RGB of 16 bits': [pngOf({ ...map16, colors: 2, samples: ramp(45, 65_535) }), /16-bit RGB/],
    'RGBA': [pngOf({ ...map16, colors: 6, samples: ramp(60, 65_535) }), /16-bit RGBA/], // prettier-ignore
    'an unknown colour type': [pngOf({ ...map16, colors: 0 }).fill(5, 25, 26), /colour type 5|damaged/],
  };
  for (const [name, [bytes, pattern]] of Object.entries(refused)) {
    const file = await put(folder, 'no-depth.png', bytes);
    await t.rejects(readDepthPng(file), { name: 'DataError', message: pattern }, name);
    await t.rejects(readDepthPng(file), { message: /no-depth\.png, byte \d+/ }, name);
  }
});

/** A whole file changed in one place. */
function damages(whole: Buffer): Record<string, [Buffer, RegExp]> {
  const at = whole.indexOf('IDAT');
  const length = whole.readUInt32BE(at - 4);
  const changed = (byte: number): Buffer => {
    const copy = Buffer.from(whole);
    copy[byte]! ^= 0x10;
    return copy;
  };
  const renamed = Buffer.from(whole);
  renamed.write('zzzz', at, 'latin1');
  return {
    'no IEND': [whole.subarray(0, whole.length - 12), /byte \d+: the PNG file is damaged or ends too early/],
    'an end within the pixels': [whole.subarray(0, at + 4 + (length >> 1)), /damaged or ends too early.*inside IDAT/],
    'the signature alone': [PNG_SIGNATURE, /byte 8: .*ends too early/],
    'a flipped bit in the pixels': [changed(at + 4 + (length >> 1)), new RegExp(`byte ${at - 4}: .*checksum`)],
    'a flipped bit in the checksum': [changed(at + 4 + length + 1), /checksum/],
    'a flipped bit in the size': [changed(19), /byte 8: .*checksum/],
    'a chunk longer than the file': [changed(at - 4), /ends too early/],
    'no pixels': [Buffer.concat([whole.subarray(0, at - 4), chunk('IEND')]), /no pixels/],
    'a renamed chunk': [renamed, /checksum/],
  };
}

t.test('damage is named with its byte, by every reader', async (t) => {
  type Reader = (file: string) => Promise<{ readonly width: number }>;
  const readers: Readonly<Record<string, readonly [Reader, Buffer]>> = {
    depth: [readDepthPng, pngOf(map16)],
    classes: [readLabelPng, pngOf(map8)],
    indices: [readLabelPng, pngOf({ ...map8, colors: 3, extra: [palette] })],
    picture: [readColorPng, pngOf({ ...map8, colors: 2, samples: ramp(45, 255) })],
  };
  for (const [reader, [read, whole]] of Object.entries(readers)) {
    t.ok(await read(await put(folder, 'whole.png', whole)));
    for (const [name, [bytes, pattern]] of Object.entries(damages(whole))) {
      const file = await put(folder, 'bad.png', bytes);
      await t.rejects(read(file), { name: 'DataError', message: pattern }, `${reader}: ${name}`);
      await t.rejects(read(file), { message: /bad\.png, byte \d+/ }, `${reader}: ${name}`);
    }
    // Rows are missing though every checksum fits.
    const taller = Buffer.from(whole);
    taller.writeUInt32BE(height + 40, 20);
    const header = chunk('IHDR', taller.subarray(16, 29));
    const missing = Buffer.concat([PNG_SIGNATURE, header, taller.subarray(33)]);
    await t.rejects(read(await put(folder, 'rows.png', missing)), DataError, `${reader}: rows are missing`);
    for (const [name, { bytes, called }] of Object.entries(foreign)) {
      await t.rejects(
        read(await put(folder, 'foreign.png', bytes)),
        { name: 'DataError', message: called },
        `${reader}: ${name}`,
      );
    }
    const jpeg = await sharp({ create: { width, height, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    await t.rejects(read(await put(folder, 'jpeg.png', jpeg)), {
      name: 'DataError',
      message: /byte 0: a JPEG picture, not a PNG file/,
    });
    await t.rejects(read(path.join(folder, 'none.png')), {
      name: 'DataError',
      message: /none\.png cannot be read.*ENOENT/,
    });
    await t.rejects(read(folder), { name: 'DataError', message: /EISDIR/ });
  }
});

t.test('a map of classes is the values of the file or the indices of its palette', async (t) => {
  for (const [name, extra] of Object.entries({ ...remarks, '12 significant bits': chunk('sBIT', [4]) })) {
    const { data } = await decodeTrimap(await put(folder, 'classes.png', pngOf({ ...map8, extra: [extra] })));
    t.equal(data.join(), classes.join(), name);
  }
  const indexed = pngOf({ ...map8, colors: 3, extra: [palette, chunk('tRNS', [0, 128, 255])] });
  const { data } = await decodeTrimap(await put(folder, 'indices.png', indexed));
  t.equal(data.join(), classes.join(), 'indices, not colours');
  t.equal(data.join(), decode(indexed).data.join(), 'as another decoder has them');
  const refused: Record<string, [PngParts, RegExp]> = {
    '16 bits': [map16, /16-bit grey/],
    '2 bits': [{ ...map8, bits: 2 }, /2-bit grey/],
    'a palette of 2 bits': [{ ...map8, bits: 2, colors: 3, extra: [palette] }, /2-bit palette/],
    'RGB': [{ ...map8, colors: 2, samples: ramp(45, 3) }, /8-bit RGB/], // prettier-ignore
    'grey and alpha': [{ ...map8, colors: 4, samples: ramp(30, 3) }, /8-bit grey \+ alpha/],
  };
  for (const [name, [parts, pattern]] of Object.entries(refused)) {
    const file = await put(folder, 'no-classes.png', pngOf(parts));
    await t.rejects(decodeTrimap(file), { name: 'DataError', message: pattern }, name);
  }
});

t.test('a picture is three channels of eight bits, from every kind that holds them', async (t) => {
  const grey = ramp(15, 255);
  const rgb = ramp(45, 255);
  const colour = (i: number): number[] => [60 * i, 60 * i + 20, 60 * i + 40];
  const kinds: Record<string, [PngParts, number[]]> = {
    'RGB': [{ ...map8, colors: 2, samples: rgb }, rgb], // prettier-ignore
    'RGB with a transparent colour': [
      { ...map8, colors: 2, samples: rgb, extra: [chunk('tRNS', [0, 0, 0, 7, 0, 14])] },
      rgb,
    ],
    'RGB with a gamma': [{ ...map8, colors: 2, samples: rgb, extra: [chunk('gAMA', [0, 1, 134, 160])] }, rgb],
    'RGBA': [{ ...map8, colors: 6, samples: grey.flatMap((v, i) => [v, v + 1, v + 2, 17 * i]) }, grey.flatMap((v) => [v, v + 1, v + 2])], // prettier-ignore
    'grey': [{ ...map8, samples: grey }, grey.flatMap((v) => [v, v, v])], // prettier-ignore
    'grey with a transparent value': [
      { ...map8, samples: grey, extra: [chunk('tRNS', [0, 7])] },
      grey.flatMap((v) => [v, v, v]),
    ],
    'grey and alpha': [{ ...map8, colors: 4, samples: grey.flatMap((v, i) => [v, i]) }, grey.flatMap((v) => [v, v, v])],
    '1 bit': [{ ...map8, bits: 1, samples: ramp(15, 1) }, ramp(15, 1).flatMap((v) => [255 * v, 255 * v, 255 * v])],
    '4 bits': [{ ...map8, bits: 4, samples: ramp(15, 15) }, ramp(15, 15).flatMap((v) => [17 * v, 17 * v, 17 * v])],
    'a palette': [{ ...map8, colors: 3, extra: [palette] }, [...classes].flatMap(colour)],
    'a palette of 2 bits': [{ ...map8, bits: 2, colors: 3, extra: [palette] }, [...classes].flatMap(colour)],
    'a palette with alpha': [
      { ...map8, colors: 3, extra: [palette, chunk('tRNS', [0, 9])] },
      [...classes].flatMap(colour),
    ],
  };
  for (const [name, [parts, expected]] of Object.entries(kinds)) {
    const { data, ...size } = await readColorPng(await put(folder, 'picture.png', pngOf(parts)));
    t.same(size, { width, height }, name);
    t.equal(data.join(), expected.map((v) => v & 255).join(), name);
  }
  await t.rejects(readColorPng(await put(folder, 'deep.png', pngOf(map16))), {
    message: /deep\.png, byte 24: .*16-bit grey/,
  });
});

t.test('a pair of a picture and a depth map', async (t) => {
  const color = await put(folder, 'color.png', pngOf({ ...map8, colors: 2, samples: ramp(45, 255) }));
  const nodata = await put(folder, 'nodata.png', pngOf({ ...map16, extra: [chunk('tRNS', [0, 0])] }));
  const frame = await readFrame({ name: 'a', color, depth: nodata });
  t.equal(frame.depth.join(), depth.join());
  t.equal(frame.valid, depth.filter((value) => value > 0).length);
  const turned = await put(folder, 'turned.png', pngOf({ ...map16, width: height, height: width }));
  await t.rejects(readFrame({ name: 'a', color, depth: turned }), {
    message: /turned\.png.*differs from that of its picture.*5 x 3, got 3 x 5/,
  });
});
