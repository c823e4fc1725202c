// All families of random operations.
import type { Family } from '../property.ts';
import { elementwise } from './elementwise.ts';
import { face } from './face.ts';
import { images } from './images.ts';
import { layout } from './layout.ts';
import { losses } from './losses.ts';
import { normalization } from './normalization.ts';
import { products } from './products.ts';
import { reduction } from './reduction.ts';

export const families: readonly Family[] = [
  ...elementwise,
  ...reduction,
  ...products,
  ...images,
  ...normalization,
  ...layout,
  ...losses,
  ...face,
];
