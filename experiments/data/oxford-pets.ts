// Oxford-IIIT Pet from its official layout, `DIR/oxford-iiit-pet/{images/NAME.jpg, annotations/{list.txt, trimaps/NAME.png,
// xmls/NAME.xml}}`: the images that have a head box, in sorted order, shuffled once and cut into cohorts (section 2.1 of the
// cross-stitch specification). Of a picture with several animals the first annotated head counts.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DataError, random, WgradError } from '../../engine/index.ts';
import {
  maskOfTrimap,
  type PetCohort,
  petCohorts,
  type PetCounts,
  type PetOptions,
  type PetSample,
  type PetSource,
  resizeNearest,
  scaleBox,
} from './pets.ts';

/** SHA-256 of the two official archives. */
export const oxfordPetArchives = {
  'annotations.tar.gz': '52425fb6de5c424942b7626b428656fcbd798db970a937df61750c0f1d358e91',
  'images.tar.gz': '67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d',
} as const;

/** Images with a head box in the official data, and how the paper splits them. */
export const officialCounts: PetCounts = { train: 2210, validation: 738, test: 738 };
export const OFFICIAL_TRIPLES = 3686;

export const oxfordPetFolder = (data: string): string => path.join(data, 'oxford-iiit-pet');
export const hasOxfordPets = (data: string): boolean => existsSync(path.join(oxfordPetFolder(data), 'annotations'));

const hint = 'Fetch the data with `wgrad data fetch oxford-iiit-pet --to DIR` and pass `--data DIR`';

async function readWhole(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new DataError(`${file} cannot be read`, { given: (cause as NodeJS.ErrnoException).code, hint, cause });
  }
}

/** Species (0 cat, 1 dog) by image name, from list.txt: `name class species breed`, comments begin with #. */
export function parsePetList(text: string, file: string): Map<string, number> {
  const species = new Map<string, number>();
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const [name, , code] = line.trim().split(/\s+/);
    if (!name || !['1', '2'].includes(code ?? '')) {
      throw new DataError(`${file}, line ${i + 1}: not an entry of the list`, {
        expected: 'name, class, species 1 or 2, breed',
        given: line,
      });
    }
    species.set(name, Number(code) - 1);
  });
  return species;
}

export interface HeadBox {
  /** xmin, ymin, xmax, ymax in pixels. */
  readonly box: PetSample['box'];
  readonly width: number;
  readonly height: number;
}

/** The first head of a PASCAL VOC file. Throws DataError for broken XML, missing numbers and boxes outside of the picture. */
export async function parseHeadBox(text: string, file: string): Promise<HeadBox> {
  const { XMLParser, XMLValidator } = await import('fast-xml-parser');
  const valid = XMLValidator.validate(text);
  if (valid !== true) {
    throw new DataError(`${file}, line ${valid.err.line}: not valid XML`, { given: valid.err.msg });
  }
  const parser = new XMLParser({ isArray: (name) => name === 'object', parseTagValue: false });
  const { annotation } = parser.parse(text) as {
    annotation?: { size?: Record<string, string>; object?: { bndbox?: Record<string, string> }[] };
  };
  const number = (of: Record<string, string> | undefined, key: string): number => {
    const value = of?.[key];
    if (value === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(value)) {
      throw new DataError(`${file}: '${key}' is not a number`, { given: value ?? 'nothing' });
    }
    return Number(value);
  };
  const [width, height] = [number(annotation?.size, 'width'), number(annotation?.size, 'height')];
  const bounds = annotation?.object?.[0]?.bndbox;
  const [x1, y1, x2, y2] = ['xmin', 'ymin', 'xmax', 'ymax'].map((key) => number(bounds, key)) as [
    number,
    number,
    number,
    number,
  ];
  if (!(x1 < x2 && y1 < y2 && x2 <= width && y2 <= height)) {
    throw new DataError(`${file}: the box is empty or outside of its picture`, {
      expected: `0 <= min < max within ${width} x ${height}`,
      given: `${x1}, ${y1}, ${x2}, ${y2}`,
    });
  }
  return { box: [x1, y1, x2, y2], width, height };
}

interface Decoded {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Values of a grey PNG as they are in the file. */
export async function decodeTrimap(file: string): Promise<Decoded> {
  const { default: sharp } = await import('sharp');
  const content = await readWhole(file);
  try {
    const { data, info } = await sharp(content).raw().toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    // libvips gives a grey picture three equal channels.
    const grey = channels === 1 ? data : Uint8Array.from({ length: width * height }, (_, i) => data[channels * i]!);
    return { data: grey, width, height };
  } catch (cause) {
    throw new DataError(`${file} is not a whole PNG`, { given: (cause as Error).message, cause });
  }
}

/** RGB of a picture of any kind that libvips reads (grey and CMYK become sRGB), resized with a triangle filter, not turned. */
export async function decodeImage(file: string, size: number): Promise<Decoded> {
  const { default: sharp } = await import('sharp');
  const content = await readWhole(file);
  try {
    const picture = sharp(content, { failOn: 'truncated' });
    const { width, height } = await picture.metadata();
    const data = await picture
      .toColourspace('srgb')
      .removeAlpha()
      .resize(size, size, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
      .raw()
      .toBuffer();
    if (data.length !== 3 * size * size) {
      throw new DataError(`${file} does not come out as RGB`, { given: `${data.length} bytes` });
    }
    return { data, width, height };
  } catch (cause) {
    if (cause instanceof WgradError) throw cause;
    throw new DataError(`${file} is not a whole picture`, { given: (cause as Error).message, cause });
  }
}

/** Names of the official layout below a folder. */
const files = (folder: string, name: string) => ({
  image: path.join(folder, 'images', `${name}.jpg`),
  trimap: path.join(folder, 'annotations', 'trimaps', `${name}.png`),
  xml: path.join(folder, 'annotations', 'xmls', `${name}.xml`),
});

/** One sample at the given side. Throws DataError, naming the file, where any part is missing or damaged. */
export async function readPet(folder: string, name: string, species: number, options: PetOptions): Promise<PetSample> {
  const { size, borderIsPet } = options;
  const { image: imageFile, trimap: trimapFile, xml } = files(folder, name);
  const head = await parseHeadBox((await readWhole(xml)).toString('utf8'), xml);
  const image = await decodeImage(imageFile, size);
  const trimap = await decodeTrimap(trimapFile);
  for (const [file, { width, height }] of [
    [xml, head],
    [trimapFile, trimap],
  ] as const) {
    if (width !== image.width || height !== image.height) {
      throw new DataError(`${file}: the picture has another size`, {
        expected: `${image.width} x ${image.height}`,
        given: `${width} x ${height}`,
      });
    }
  }
  const small = resizeNearest(trimap.data, trimap.width, trimap.height, size);
  return {
    image: image.data,
    mask: maskOfTrimap(small, borderIsPet, trimapFile),
    box: scaleBox(head.box, head.width, head.height, size),
    species,
  };
}

/** The order of the images is the same for every seed of a run. */
const SPLIT_SEED = 0;

/** Shuffles sorted names and cuts them: as the paper if there are enough, else 60, 20 and 20 percent of what is there. */
export function splitPets(names: readonly string[], wanted: PetCounts): Record<PetCohort, string[]> {
  const sorted = [...names].sort();
  const order = random(SPLIT_SEED, 'split of the pets').permutation(sorted.length);
  const total = wanted.train + wanted.validation + wanted.test;
  const fifth = Math.floor(sorted.length / 5);
  const counts = total <= sorted.length ? wanted : { train: sorted.length - 2 * fifth, validation: fifth, test: fifth };
  let at = 0;
  return Object.fromEntries(
    petCohorts.map((cohort) => {
      const part = [...order.subarray(at, (at += counts[cohort]))].map((i) => sorted[i]!);
      return [cohort, part];
    }),
  ) as Record<PetCohort, string[]>;
}

/** Names with a picture, a trimap, a box and an entry in the list, and how many were left out for want of what. */
export async function listPets(
  folder: string,
): Promise<{ species: Map<string, number>; skipped: Map<string, string[]> }> {
  const list = path.join(folder, 'annotations', 'list.txt');
  const listed = parsePetList((await readWhole(list)).toString('utf8'), list);
  const xmls = await readdir(path.join(folder, 'annotations', 'xmls')).catch((cause: NodeJS.ErrnoException) => {
    throw new DataError(`${folder} has no head boxes`, { given: cause.code, hint, cause });
  });
  const species = new Map<string, number>();
  const skipped = new Map<string, string[]>();
  for (const xml of xmls.filter((file) => file.endsWith('.xml')).sort()) {
    const name = xml.slice(0, -'.xml'.length);
    const { image, trimap } = files(folder, name);
    const missing = !existsSync(image) ? 'picture' : !existsSync(trimap) ? 'trimap' : !listed.has(name) ? 'entry' : '';
    if (missing) skipped.set(missing, [...(skipped.get(missing) ?? []), name]);
    else species.set(name, listed.get(name)!);
  }
  return { species, skipped };
}

/** SHA-256 over the files of all samples, in sorted order. */
async function digestOf(folder: string, names: Iterable<string>): Promise<string> {
  const hash = createHash('sha256');
  for (const name of names) {
    for (const file of Object.values(files(folder, name))) {
      const content = await readWhole(file);
      hash.update(`${path.basename(file)} ${content.length}\n`).update(content);
    }
  }
  return hash.digest('hex');
}

/**
 * The pets below `data`/oxford-iiit-pet. Throws DataError where there are none. Incomplete triples are left out and counted in
 * the name; a damaged file stops the reading of its sample.
 */
export async function loadOxfordPets(data: string, wanted: PetCounts): Promise<PetSource> {
  const folder = oxfordPetFolder(data);
  const { species, skipped } = await listPets(folder);
  if (species.size < petCohorts.length) {
    throw new DataError(`${folder} has too few complete samples`, { given: String(species.size), hint });
  }
  const cohorts = splitPets([...species.keys()], wanted);
  const left = [...skipped].map(([what, names]) => `, ${names.length} without ${what} left out`).join('');
  const part =
    species.size === OFFICIAL_TRIPLES ? '' : ` (${species.size} of its ${OFFICIAL_TRIPLES} head boxes${left})`;
  return {
    name: `Oxford-IIIT Pet${part}`,
    real: true,
    checksums: { samples: await digestOf(folder, [...species.keys()].sort()) },
    counts: {
      train: cohorts.train.length,
      validation: cohorts.validation.length,
      test: cohorts.test.length,
    },
    sample(cohort, index, options) {
      const name = cohorts[cohort][index]!;
      return readPet(folder, name, species.get(name)!, options);
    },
  };
}
