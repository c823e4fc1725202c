// Pictures as people have them: every format, channels, depth and turn that is read comes out as the same 8-bit RGB; what is not read
// is refused by name.
import path from 'node:path';
import { readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import t from 'tap';
import { readPicture } from '../../../experiments/index.ts';
import { foreign, pngOf, put } from './files.ts';

const [width, height] = [6, 4];
const raw = { width, height, channels: 3 } as const;
const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 53) % 256);
const grey = Uint8Array.from({ length: width * height }, (_, i) => (i * 37) % 256);
const folder = t.testdir();

async function read(name: string, bytes: Uint8Array, options?: { bgr: boolean }) {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  return readPicture(file, options);
}

const picture = () => sharp(rgb, { raw });
const inThree = (values: Uint8Array): number[] => [...values].flatMap((value) => [value, value, value]);

t.test('lossless formats come out to the bit', async (t) => {
  const alpha = Uint8Array.from({ length: width * height }, (_, i) => (i * 91) % 256);
  const withAlpha = () => picture().joinChannel(Buffer.from(alpha), { raw: { width, height, channels: 1 } });
  const greyPicture = () => sharp(grey, { raw: { width, height, channels: 1 } }).toColourspace('b-w');
  const sixteen = pngOf({ width, height, bits: 16, colors: 2, samples: Uint16Array.from(rgb, (value) => 257 * value) });
  const greySixteen = pngOf({
    width,
    height,
    bits: 16,
    colors: 0,
    samples: Uint16Array.from(grey, (value) => 257 * value),
  });
  const cases: [string, Uint8Array, readonly number[]][] = [
    ['rgb.png', await picture().png().toBuffer(), [...rgb]],
    ['palette.png', await sharp(grey, { raw: { width, height, channels: 1 } }).png({ palette: true, colours: 256, dither: 0 }).toBuffer(), inThree(grey)],
    ['alpha.png', await withAlpha().png().toBuffer(), [...rgb]],
    ['grey.png', await greyPicture().png().toBuffer(), inThree(grey)],
    ['sixteen.png', sixteen, [...rgb]],
    ['grey-sixteen.png', greySixteen, inThree(grey)],
    ['grey-alpha.png', pngOf({ width, height, bits: 8, colors: 4, samples: [...grey].flatMap((v, i) => [v, i]) }), inThree(grey)],
    ['one-bit.png', pngOf({ width, height, bits: 1, colors: 0, samples: grey.map((v) => v & 1) }), inThree(grey.map((v) => 255 * (v & 1)))],
    ['rgb.tif', await picture().tiff({ compression: 'none' }).toBuffer(), [...rgb]],
    ['lzw.TIFF', await picture().tiff({ compression: 'lzw' }).toBuffer(), [...rgb]],
    ['alpha.tiff', await withAlpha().tiff({ compression: 'deflate' }).toBuffer(), [...rgb]],
    ['grey.tiff', await greyPicture().tiff({ compression: 'none' }).toBuffer(), inThree(grey)],
    ['sixteen.tiff', await sharp(sixteen).toColourspace('rgb16').tiff({ compression: 'none' }).toBuffer(), [...rgb]],
    ['rgb.webp', await picture().webp({ lossless: true }).toBuffer(), [...rgb]],
    ['alpha.webp', await withAlpha().webp({ lossless: true, exact: true }).toBuffer(), [...rgb]],
    ['no-extension', await picture().png().toBuffer(), [...rgb]],
  ]; // prettier-ignore
  for (const [name, bytes, wanted] of cases) {
    const found = await read(name, bytes);
    t.same([found.width, found.height], [width, height], name);
    t.same([...found.data], wanted, name);
  }
});

t.test('JPEG, in colour and grey', async (t) => {
  const smooth = Uint8Array.from(
    { length: 3 * 64 * 64 },
    (_, i) => [Math.floor(i / 3) % 64, Math.floor(i / 192), 32][i % 3]! * 3,
  );
  const image = sharp(smooth, { raw: { width: 64, height: 64, channels: 3 } });
  const found = await read(
    'smooth.jpg',
    await image.clone().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(),
  );
  t.ok(found.data.every((value, i) => Math.abs(value - smooth[i]!) < 12));
  const single = await read('grey.jpeg', await image.clone().greyscale().jpeg().toBuffer());
  t.equal(single.data.length, 3 * 64 * 64);
  t.ok(single.data.every((value, i) => value === single.data[i - (i % 3)]));
});

t.test('a picture is turned as its EXIF tag says', async (t) => {
  const values = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => [...rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)]),
  );
  const transposed = values[0]!.map((_, x) => values.map((row) => row[x]!));
  const mirrored = (rows: number[][][]): number[][][] => rows.map((row) => [...row].reverse());
  const wanted: Record<number, number[][][]> = {
    1: values,
    2: mirrored(values),
    3: mirrored([...values].reverse()),
    4: [...values].reverse(),
    5: transposed,
    6: mirrored(transposed),
    7: mirrored([...transposed].reverse()),
    8: [...transposed].reverse(),
  };
  for (const [orientation, rows] of Object.entries(wanted)) {
    for (const format of ['tiff', 'webp', 'png'] as const) {
      const made = picture().withMetadata({ orientation: Number(orientation) });
      const options = { tiff: { compression: 'none' }, webp: { lossless: true }, png: {} }[format] as object;
      const found = await read(`turned-${orientation}.${format}`, await made.toFormat(format, options).toBuffer());
      t.same([found.height, found.width], [rows.length, rows[0]!.length], `${format} ${orientation}`);
      t.same([...found.data], rows.flat(2), `${format} ${orientation}`);
    }
  }
});

t.test('blue and red change places where told', async (t) => {
  const found = await read('bgr.png', await picture().png().toBuffer(), { bgr: true });
  t.same(
    [...found.data],
    [...rgb].map((_, i) => rgb[i - (i % 3) + 2 - (i % 3)]),
  );
});

t.test('what is not read is refused by name', async (t) => {
  const two = Buffer.concat([rgb, rgb.map((value) => 255 - value)]);
  const pages = { raw: { width, height: 2 * height, channels: 3, pageHeight: height } } as const;
  const cases: [string, Uint8Array, RegExp][] = [
    ['animation.webp', await sharp(two, pages).webp({ lossless: true, loop: 0, delay: [100, 100] }).toBuffer(), /animation\.webp holds 2 pictures.*expected one/],
    ['animation.gif', await sharp(two, pages).gif().toBuffer(), /a GIF picture, not a JPEG, PNG, WebP or TIFF/],
    ['pages.tiff', await sharp(two, pages).tiff().toBuffer(), /pages\.tiff holds 2 pictures/],
    ['floats.tiff', await picture().toColourspace('scrgb').tiff({ compression: 'none' }).toBuffer(), /floats\.tiff is a picture of float/],
    ['photo.heic', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), /a HEIF or AVIF picture, not/],
    ['photo.avif', Buffer.from('\0\0\0\x18ftypavif\0\0\0\0mif1avif'), /a HEIF or AVIF picture, not/],
    ['photo.bmp', Buffer.concat([Buffer.from('BM'), Buffer.from([70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0])]), /a BMP picture, not/],
    ['drawing.svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'), /an SVG drawing, not/],
    ['notes.png', Buffer.from('not a picture at all'), /notes\.png, byte 0: not a JPEG, PNG, WebP or TIFF picture/],
  ]; // prettier-ignore
  for (const [name, bytes, message] of cases) {
    await t.rejects(read(name, bytes), { name: 'DataError', message }, name);
  }
  for (const [what, { bytes }] of Object.entries(foreign)) {
    await t.rejects(read(`foreign ${what}`, bytes), { name: 'DataError', message: /byte 0: .*not/ }, what);
  }
  await t.rejects(readPicture(path.join(folder, 'nothing.png')), {
    name: 'DataError',
    message: /nothing\.png cannot be read/,
  });
});

t.test('a damaged picture names itself', async (t) => {
  const big = sharp(
    Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => (i * i) % 251),
    { raw: { width: 64, height: 64, channels: 3 } },
  );
  for (const format of ['jpeg', 'png', 'webp', 'tiff'] as const) {
    const whole = await big.clone().toFormat(format).toBuffer();
    const file = await put(folder, `cut.${format}`, whole.subarray(0, Math.floor(whole.length / 2)));
    await t.rejects(readPicture(file), { name: 'DataError', message: new RegExp(`cut\\.${format}.*damaged`) }, format);
  }
  const checksum = await readFile(path.join(folder, 'rgb.png'));
  checksum[checksum.length - 20]! ^= 1;
  await t.rejects(readPicture(await put(folder, 'changed.png', checksum)), /changed\.png, byte \d+: .*checksum/);
});
