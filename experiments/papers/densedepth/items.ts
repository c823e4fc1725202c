// What the report prints and no table or claim of ours names as its source.
import type { OtherItem } from '../../runner/paper.ts';

export const otherItems: readonly OtherItem[] = [
  {
    place: 'Equation 1',
    what: 'weights 1, 1, 1 of the depth loss, where the notebooks have 0.85, 0.9, 0.1',
    answer: { table: 'loss-weights' },
  },
  {
    place: 'text',
    what: 'flips with probability 0.5 and swaps of red and green with 0.25, where the notebook appends copies',
    answer: { table: 'split' },
  },
  { place: 'text', what: 'fine-tuning "only able to reach 0.37 m" after 50 epochs', answer: { table: 'fine-tuning' } },
  { place: 'text', what: 'test MAE "0.44 m", training MAE "0.17-0.24 m"', answer: { table: 'figure8' } },
  {
    place: 'text',
    what: '400 test images in one place, "around 350" in another',
    answer: {
      why: 'a contradiction about a count: the test array of the notebooks has 371, which are used at paper size',
    },
  },
  {
    place: 'text',
    what: 'about 4,500 examples',
    answer: { why: 'a contradiction about a count: the arrays of the notebooks have 3,513 + 371' },
  },
];
