// K. Namdar, P. Vafaeikia, F. Khalvati, "Minimizing the Effect of Noise and Limited Dataset Size in Image Classification Using
// Depth Estimation as an Auxiliary Task with Deep Multitask Learning" (arXiv 2208.10390, 2022).
import { ConfigError, DataError } from '../../../engine/index.ts';
import type { DigitSource } from '../../data/digits.ts';
import { hasMnist, loadMnist, mnistFolder } from '../../data/mnist.ts';
import { generatedDigits } from '../../data/synthetic/digits.ts';
import { type Paper, type PresetName, presetNames } from '../../runner/paper.ts';
import { figure11 } from './figure11.ts';
import { figure7 } from './figure7.ts';
import { figure9 } from './figure9.ts';
import { lambda } from './lambda.ts';
import { describePreset, settingsOf, sizes } from './presets.ts';
import { ordering } from './ordering.ts';
import { settingsSchema } from './schema.ts';
import { parseRunKey, type Strategy, type TrainingSettings } from './settings.ts';
import { table1 } from './table1.ts';
import { table2 } from './table2.ts';
import { table3 } from './table3.ts';
import { table4 } from './table4.ts';
import { trainDmtl } from './training.ts';

/** Passes over the whole network per batch, relative to the multitask loss (section 8.1 of the specification). */
const relativeCost: Readonly<Record<Strategy, number>> = {
  singleTask: 0.35,
  sequential: 1.35,
  sequentialHalf: 0.7,
  multipleOptimizers: 1.35,
  multitaskLoss: 1,
};

const sources = new Map<string, Promise<DigitSource>>();

/** Real MNIST below `data`; without a folder generated digits, except for the preset `paper`. */
async function digitSource(preset: PresetName, data: string | undefined): Promise<DigitSource> {
  if (data === undefined) {
    if (preset === 'paper') {
      throw new ConfigError('the preset paper of dmtl needs the real MNIST', {
        hint: 'Fetch it with `wgrad data fetch mnist --to DIR` and pass `--data DIR`, or take `--preset laptop`',
      });
    }
    return generatedDigits();
  }
  if (!hasMnist(data)) {
    throw new DataError(`there is no MNIST in '${mnistFolder(data)}'`, {
      expected: 'train-images-idx3-ubyte.gz and the other three official files',
      hint: `Fetch it with \`wgrad data fetch mnist --to ${data}\``,
    });
  }
  const source = sources.get(data) ?? loadMnist(data);
  sources.set(data, source);
  return source;
}

/** With as many images as `counts` asks for: all that any run of the preset needs, or those of one run. */
async function checkedSource(
  preset: PresetName,
  data: string | undefined,
  counts: Pick<TrainingSettings, 'trainCount' | 'validationCount' | 'testCount'> = {
    ...sizes[preset],
    trainCount: sizes[preset].richest,
  },
): Promise<DigitSource> {
  const source = await digitSource(preset, data);
  const { trainCount, validationCount, testCount } = counts;
  const needs = { train: trainCount, validation: validationCount, test: testCount } as const;
  for (const [cohort, count] of Object.entries(needs) as [keyof typeof needs, number][]) {
    if (source.available(cohort) < count) {
      throw new DataError(`${source.name} has too few images for the ${cohort} cohort`, {
        expected: String(count),
        given: String(source.available(cohort)),
      });
    }
  }
  return source;
}

export const dmtl: Paper<TrainingSettings> = {
  name: 'dmtl',
  title: 'Minimizing the Effect of Noise and Limited Dataset Size in Image Classification Using Depth Estimation',
  citation: 'K. Namdar, P. Vafaeikia, F. Khalvati, arXiv 2208.10390, 2022.',
  tables: [table1, table2, table3, table4, figure7, figure9, figure11, lambda, ordering],
  presets: Object.fromEntries(presetNames.map((name) => [name, describePreset(name)])) as Record<PresetName, string>,
  ambiguities: [
    'Noise model: y = (x + k n) / (1 + k), n uniform on [0, 1) per upsampled pixel; k = 5, 19, 29 make the signal exactly 1/6, ' +
      '1/20 and 1/30 of the mixture. The alternatives (power ratio, noise before upsampling) are options of the data code.',
    'Depth of digit c: (c + 1) / 10. Taken literally (proportional to c) digit 0 would have no depth at all.',
    'The network sees the binarised digit, not the grey one: the noise ratio is well defined then.',
    'Upsampling: bilinear, half-pixel centres, then threshold 0.5. Noise is drawn once per image, not anew in each epoch.',
    'Widths, batch norm and the classifier are those of the textbook U-Net (64 to 1024) with mean pooling, 256, 64, 10.',
    'Optimizer: "momentum 0.9" leaves SGD or RMSprop. SGD, since RMSprop makes multiple optimizers collapse.',
    'Depth loss: mean squared error over all pixels, weight 1.',
    'Sequential training: depth first, then class. Fresh optimizer for the second stage.',
    'Table 2 and Table 3 contradict each other at (1:29, 3500): both strategies are run.',
    'The weights of the best validation accuracy are tested, once.',
    'The learning rate 5e-5 does not move narrow networks: the presets below paper size use 5e-3.',
  ],
  settings: settingsSchema,
  defaultSeeds: (preset) => sizes[preset].seeds,
  async dataFacts(preset, data) {
    const { name, real, checksums } = await checkedSource(preset, data);
    return { name, real, checksums };
  },
  configuration: (run, preset) => ({ ...settingsOf(run, preset) }),
  cost(run, preset) {
    const { strategy } = parseRunKey(run);
    const { trainCount, baseWidth, images } = settingsOf(run, preset);
    return relativeCost[strategy] * trainCount * (baseWidth * images.size) ** 2;
  },
  async train(context) {
    const source = await checkedSource(context.preset, context.data, context.settings);
    return trainDmtl(context, context.settings, source);
  },
};
