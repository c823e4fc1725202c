// The record of Oxford-IIIT Pet: the pictures that have a head box, in sorted order, shuffled once and cut into cohorts (section 2.1 of
// the cross-stitch specification), with drawn pets as its stand-in.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { DataError, random } from '../../../engine/index.ts';
import { type DataCheck, type DataSet, firstFault, folderOf } from '../dataset.ts';
import { readDataFile } from '../files.ts';
import { isFolder, PassedOver } from '../listing.ts';
import { type PetCohort, petCohorts, type PetCounts, type PetSource } from '../pets.ts';
import { generatedPets } from '../synthetic/pets.ts';
import { listPets, type PetFiles, petHint, type PetList, readPetFiles } from './oxford-pet-files.ts';

/** SHA-256 of the two official archives. */
export const oxfordPetArchives = {
  'annotations.tar.gz': '52425fb6de5c424942b7626b428656fcbd798db970a937df61750c0f1d358e91',
  'images.tar.gz': '67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d',
} as const;

/** Images with a head box in the official data, and how the paper splits them. */
export const officialCounts: PetCounts = { train: 2210, validation: 738, test: 738 };
/** Pictures of the whole data set that have a trimap and a head box. */
export const OFFICIAL_TRIPLES = 3686;

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

/** SHA-256 over the files of all samples, in sorted order. */
async function digestOf(samples: readonly PetFiles[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { image, trimap, xml } of samples) {
    for (const file of [image, trimap, xml]) {
      const content = await readDataFile(file, petHint);
      hash.update(`${path.basename(file)} ${content.length}\n`).update(content);
    }
  }
  return hash.digest('hex');
}

const leftOut = ({ skipped }: PetList): string =>
  [...skipped].map(([what, names]) => `, ${names.length} without ${what} left out`).join('');

/** Every cohort needs a sample. */
function refuseTooFew(folder: string, { species }: PetList): void {
  if (species.size >= petCohorts.length) return;
  throw new DataError(`${folder} has too few complete samples`, { given: String(species.size), hint: petHint });
}

async function load(folder: string, wanted: PetCounts): Promise<PetSource> {
  const list = await listPets(folder);
  refuseTooFew(folder, list);
  const { species, files, passedOver } = list;
  const cohorts = splitPets([...species.keys()], wanted);
  const part =
    species.size === OFFICIAL_TRIPLES ? '' : ` (${species.size} of its ${OFFICIAL_TRIPLES} head boxes${leftOut(list)})`;
  const sorted = [...species.keys()].sort().map((name) => files.get(name)!);
  return {
    name: `${oxfordPets.title}${part}`,
    real: true,
    checksums: { samples: await digestOf(sorted) },
    passedOver,
    counts: {
      train: cohorts.train.length,
      validation: cohorts.validation.length,
      test: cohorts.test.length,
    },
    sample(cohort, index, options) {
      const name = cohorts[cohort][index]!;
      return readPetFiles(files.get(name)!, species.get(name)!, options);
    },
  };
}

/**
 * The pets below `data`. Throws DataError where there are none. Incomplete triples are left out and counted in the name; a damaged
 * file stops the reading of its sample.
 */
export const loadOxfordPets = async (data: string, wanted: PetCounts): Promise<PetSource> =>
  load(await folderOf(oxfordPets, data), wanted);

/** Side at which a check decodes: no picture is kept. */
const CHECK_SIZE = 64;

async function check(folder: string, progress: (done: number, total: number) => void): Promise<DataCheck> {
  const counts: Record<string, string | number> = {};
  let passedOver = new PassedOver();
  const twins: string[] = [];
  const fault = await firstFault(async () => {
    const list = await listPets(folder);
    passedOver = list.passedOver;
    counts['complete samples'] = `${list.species.size} of ${OFFICIAL_TRIPLES}`;
    for (const [what, names] of list.skipped) counts[`without ${what} (left out)`] = names.length;
    counts['samples read whole'] = 0;
    refuseTooFew(folder, list);
    const pictures = new Map<string, string>();
    let read = 0;
    for (const [name, files] of list.files) {
      await readPetFiles(files, list.species.get(name)!, { size: CHECK_SIZE, borderIsPet: true });
      const digest = createHash('sha256')
        .update(await readDataFile(files.image))
        .digest('hex');
      if (pictures.has(digest)) twins.push(`${name} and ${pictures.get(digest)}`);
      pictures.set(digest, name);
      counts['samples read whole'] = ++read;
      progress(read, list.files.size);
    }
  });
  // Training and test pictures are drawn from one list: the same picture under two names may be in both.
  const doubts =
    twins.length > 0 ? [`${twins.length} pictures are there under two names (the first: ${twins[0]})`] : [];
  return { folder, counts, passedOver, doubts, fault };
}

/** Oxford-IIIT Pet: cats and dogs with trimap, head box and species. */
export const oxfordPets: DataSet<PetSource, PetCounts> = {
  name: 'oxford-iiit-pet',
  title: 'Oxford-IIIT Pet',
  content:
    'Cats and dogs with trimap, head box and species: the 3,686 pictures with a head box are those of cross-stitch.',
  licence: 'CC BY-SA 4.0; the pictures belong to their owners',
  size: '810 MB',
  page: 'https://www.robots.ox.ac.uk/~vgg/data/pets/',
  folder: 'oxford-iiit-pet',
  layouts: [
    'DIR/oxford-iiit-pet/{images/NAME.jpg, annotations/{list.txt, trimaps/NAME.png, xmls/NAME.xml}}, as the archives unpack',
    'Each archive may lie in a folder of its name once more (images/images); DIR may be the folder of the data set itself.',
    'Samples without a picture, trimap, head box or entry in the list are left out and counted.',
  ],
  origins: ['https://www.robots.ox.ac.uk/~vgg/data/pets/data/', 'https://thor.robots.ox.ac.uk/~vgg/data/pets/'],
  files: oxfordPetArchives,
  archives: true,
  byHand: [
    'Download images.tar.gz and annotations.tar.gz from the page and unpack both in DIR/oxford-iiit-pet (tar xzf).',
  ],
  standInName: 'generated pets',
  holds: (folder) => isFolder(path.join(folder, 'annotations')),
  load,
  standIn: (counts) => generatedPets(counts),
  check,
};
