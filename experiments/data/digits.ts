// What the digit data sets have in common: 28 x 28 grey images in [0, 1] with labels 0 to 9, in three cohorts.

import type { LoadedData } from './dataset.ts';

/** Side of a digit image in pixels, before upsampling. */
export const DIGIT_SIZE = 28;
/** Number of classes: the digits 0 to 9. */
export const DIGIT_CLASSES = 10;

/** What a split of digits is for. */
export type Cohort = 'train' | 'validation' | 'test';

/** Digits by cohort and index, wherever they come from. */
export interface DigitSource extends LoadedData {
  /** How many images a cohort can give. */
  available(cohort: Cohort): number;
  /** Grey values 0 (background) to 1 (ink), row-major, of image `index` of the cohort. */
  pixels(cohort: Cohort, index: number): Float32Array;
  label(cohort: Cohort, index: number): number;
}
