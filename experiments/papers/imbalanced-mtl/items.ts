// What the paper prints and no table or claim of ours names as its source.
import type { OtherItem } from '../../runner/paper.ts';

export const otherItems: readonly OtherItem[] = [
  {
    place: 'text',
    what: 'pseudo-labels: the share that is kept, and how many of them are right',
    answer: { table: 'table4' },
  },
  { place: 'text', what: 'pseudo-labels are believed above tau = 0.9', answer: { table: 'tau' } },
  {
    place: 'text',
    what: 'rows trained for equal epochs, where ours make equal updates',
    answer: { table: 'epochs' },
  },
  {
    place: 'text',
    what: '"the same architecture ... for all the cases" and "no FA module in ST", which contradict each other',
    answer: { table: 'heads' },
  },
  {
    place: 'text',
    what: 'condition 2: depth helps segmentation, segmentation does not help depth',
    answer: { table: 'condition2' },
  },
  {
    place: 'text',
    what: 'the teacher is trained on the pictures with both labels, or on all that have depth',
    answer: { table: 'choices' },
  },
  {
    place: 'text',
    what: '295 validation images in the text, 395 in the tables',
    answer: { why: 'a contradiction about a count: 295, which with 500 make the official training split' },
  },
];
