// The files of Oxford-IIIT Pet: the list of species, head boxes in PASCAL VOC's XML, pictures and trimaps, in the official layout,
// `images/NAME.jpg` and `annotations/{list.txt, trimaps/NAME.png, xmls/NAME.xml}`. Of a picture with several animals the first
// annotated head counts.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DataError, WgradError } from '../../../engine/index.ts';
import { contentOf, foreignFile } from '../../../engine/io/content.ts';
import { readDataFile } from '../files.ts';
import { type LabelImage, readLabelPng } from '../formats/png.ts';
import { filesIn, firstFolder, PassedOver } from '../listing.ts';
import { maskOfTrimap, type PetOptions, type PetSample, scaleBox } from '../pets.ts';
import { resizeNearest } from '../resize.ts';

export const petHint = 'Fetch the data with `wgrad data fetch oxford-iiit-pet --to DIR` and pass `--data DIR`';

/** The files of one sample. */
export interface PetFiles {
  readonly image: string;
  readonly trimap: string;
  readonly xml: string;
}

/** Folders below the data set's own, the official one first; some programs unpack each archive into a folder of its name once more. */
const places = {
  image: { folders: ['images', 'images/images'], extensions: ['.jpg', '.jpeg'] },
  trimap: { folders: ['annotations/trimaps', 'annotations/annotations/trimaps'], extensions: ['.png'] },
  xml: { folders: ['annotations/xmls', 'annotations/annotations/xmls'], extensions: ['.xml'] },
} as const;
type FileKind = keyof typeof places;

const folderOfKind = async (root: string, kind: FileKind): Promise<string> => {
  const [official, inner] = places[kind].folders.map((folder) => path.join(root, folder)) as [string, string];
  return (await firstFolder([inner, official])) ?? official;
};

/** Paths of one kind by name. */
async function filesOfKind(root: string, kind: FileKind, passedOver: PassedOver): Promise<Map<string, string>> {
  const files = await filesIn(await folderOfKind(root, kind), places[kind].extensions, passedOver);
  return new Map(files.map(({ stem, path: file }) => [stem, file]));
}

/** The files of one sample; of one that is not there the official path. */
async function filesOf(root: string, name: string): Promise<PetFiles> {
  const found: Partial<Record<FileKind, string>> = {};
  for (const kind of Object.keys(places) as FileKind[]) {
    const official = path.join(await folderOfKind(root, kind), `${name}${places[kind].extensions[0]}`);
    found[kind] = existsSync(official)
      ? official
      : ((await filesOfKind(root, kind, new PassedOver())).get(name) ?? official);
  }
  return found as PetFiles;
}

/** Where list.txt lies. */
export async function petListFile(root: string): Promise<string> {
  const folders = ['annotations', path.join('annotations', 'annotations')].map((place) =>
    path.join(root, place, 'list.txt'),
  );
  return folders.find((file) => existsSync(file)) ?? folders[0]!;
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

/** The head box of a pet, with the size of the picture that it belongs to. */
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
    throw new DataError(`${file}: the box is empty or outside its picture`, {
      expected: `0 <= min < max within ${width} x ${height}`,
      given: `${x1}, ${y1}, ${x2}, ${y2}`,
    });
  }
  return { box: [x1, y1, x2, y2], width, height };
}

/** Classes of a trimap as they are in the file. Throws DataError for anything but an 8-bit map of classes. */
export const decodeTrimap = (file: string): Promise<LabelImage> => readLabelPng(file, petHint);

interface Decoded {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** RGB of a picture of any kind that libvips reads (grey and CMYK become sRGB), resized with a triangle filter, not turned. */
export async function decodeImage(file: string, size: number): Promise<Decoded> {
  const { default: sharp } = await import('sharp');
  const content = await readDataFile(file, petHint);
  try {
    const picture = sharp(content, { failOn: 'truncated' });
    const { width, height } = await picture.metadata();
    const { data, info } = await picture
      .toColourspace('srgb')
      .removeAlpha()
      .resize(size, size, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3 || data.length !== 3 * size * size) {
      throw new DataError(`${file} does not decode to RGB`, {
        expected: `3 channels, ${3 * size * size} bytes`,
        given: `${info.channels} channel(s), ${data.length} bytes`,
      });
    }
    return { data, width, height };
  } catch (cause) {
    if (cause instanceof WgradError) throw cause;
    const what = contentOf(content);
    if (what && !what.name.endsWith('picture')) throw foreignFile(file, content, 'a picture');
    throw new DataError(`${file} is not a whole picture`, { given: (cause as Error).message, cause });
  }
}

/** One sample at the given side. Throws DataError, naming the file, where any part is missing or damaged. */
export async function readPetFiles(
  { image: imageFile, trimap: trimapFile, xml }: PetFiles,
  species: number,
  { size, borderIsPet }: PetOptions,
): Promise<PetSample> {
  const bytes = await readDataFile(xml, petHint);
  const content = contentOf(bytes);
  if (content && content.name !== 'an XML document') throw foreignFile(xml, bytes, 'a PASCAL VOC file');
  const head = await parseHeadBox(bytes.toString('utf8'), xml);
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
  const mask = maskOfTrimap(trimap.data, borderIsPet, trimapFile);
  return {
    image: image.data,
    mask: resizeNearest(mask, trimap.width, trimap.height, size),
    box: scaleBox(head.box, head.width, head.height, size),
    species,
  };
}

/** The sample of this name below the data set's folder. Throws DataError as `readPetFiles`. */
export const readPet = async (root: string, name: string, species: number, options: PetOptions): Promise<PetSample> =>
  readPetFiles(await filesOf(root, name), species, options);

/** What a listing of the pets has found. */
export interface PetList {
  /** Species of the complete samples by name. */
  readonly species: Map<string, number>;
  readonly files: ReadonlyMap<string, PetFiles>;
  /** Names left out for want of a part, by the part. */
  readonly skipped: Map<string, string[]>;
  readonly passedOver: PassedOver;
}

/** The samples with a picture, a trimap, a box and an entry in the list, and those left out for want of one. */
export async function listPets(root: string): Promise<PetList> {
  const list = await petListFile(root);
  const content = await readDataFile(list, petHint);
  if (contentOf(content)) throw foreignFile(list, content, 'the list of pets');
  const listed = parsePetList(content.toString('utf8'), list);
  const passedOver = new PassedOver();
  const [images, trimaps, xmls] = [
    await filesOfKind(root, 'image', passedOver),
    await filesOfKind(root, 'trimap', passedOver),
    await filesOfKind(root, 'xml', passedOver),
  ];
  if (xmls.size === 0)
    throw new DataError(`${root} has no head boxes`, { given: passedOver.describe(), hint: petHint });
  const species = new Map<string, number>();
  const files = new Map<string, PetFiles>();
  const skipped = new Map<string, string[]>();
  for (const [name, xml] of xmls) {
    const [image, trimap] = [images.get(name), trimaps.get(name)];
    if (image && trimap && listed.has(name)) {
      species.set(name, listed.get(name)!);
      files.set(name, { image, trimap, xml });
      continue;
    }
    const missing = !image ? 'picture' : !trimap ? 'trimap' : 'entry';
    skipped.set(missing, [...(skipped.get(missing) ?? []), name]);
  }
  return { species, files, skipped, passedOver };
}
