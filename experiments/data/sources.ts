// Where the data sets come from that cannot be fetched by a command: size, terms, or files without a published checksum.
import { ConfigError } from '../../engine/index.ts';
import { dataSets } from './fetch.ts';

/** Steps by which a person gets a data set, one line each. `DIR` is the folder for `--data`. */
export const manualSources: Readonly<Record<string, readonly string[]>> = {
  kitti: [
    'KITTI depth prediction (Uhrig et al. 2017): CC BY-NC-SA 3.0, about 200 GB with the pictures.',
    'Pages: https://www.cvlibs.net/datasets/kitti/eval_depth.php?benchmark=depth_prediction and .../kitti/raw_data.php',
    '1. https://s3.eu-central-1.amazonaws.com/avg-kitti/data_depth_annotated.zip (14 GB); unzip into DIR/kitti/depth.',
    '2. https://s3.eu-central-1.amazonaws.com/avg-kitti/data_depth_selection.zip (2 GB); unzip into DIR/kitti.',
    '3. The raw drives (synced and rectified), by https://s3.eu-central-1.amazonaws.com/avg-kitti/raw_data_downloader.zip; run',
    '   its script inside DIR/kitti/raw. Only image_02 and image_03 are read.',
    'Then there are:',
    '   DIR/kitti/depth/train/DRIVE/proj_depth/groundtruth/image_02/FRAME.png   16 bits, metres times 256, 0 for none',
    '   DIR/kitti/raw/DATE/DRIVE/image_02/data/FRAME.png   or   DIR/kitti/rgb/DRIVE/image_02/data/FRAME.png',
    '   DIR/kitti/depth_selection/val_selection_cropped/{image,groundtruth_depth}/*.png   1000 images of 1216 x 352',
    'Depth maps without a picture are left out and counted.',
  ],
};

/** What a person must know to get a data set. Throws ConfigError for an unknown name. */
export function sourceOf(name: string): readonly string[] {
  if (Object.hasOwn(manualSources, name)) return manualSources[name]!;
  const dataSet = Object.hasOwn(dataSets, name) ? dataSets[name] : undefined;
  if (!dataSet) {
    const names = [...Object.keys(dataSets), ...Object.keys(manualSources)];
    throw new ConfigError(`there is no data set '${name}'`, { expected: names.join(', ') });
  }
  return [
    `Fetched by \`wgrad data fetch ${name} --to DIR\` into DIR/${dataSet.folder}, checked by SHA-256.`,
    ...dataSet.origins.map((origin) => `Origin: ${origin}`),
    ...Object.entries(dataSet.files).map(([file, sha256]) => `  ${file}  ${sha256}`),
  ];
}
