// What the paper prints and no table or claim of ours names as its source.
import type { OtherItem } from '../../runner/paper.ts';

export const otherItems: readonly OtherItem[] = [
  {
    place: 'Figure 4',
    what: 'a figure that the text of the paper, as we have it, does not describe',
    answer: { why: 'nothing that we have says what it shows' },
  },
  {
    place: 'Figures 5 and 6',
    what: 'drawings of the architecture',
    answer: { why: 'drawings, with nothing to run; the network built from the text is models/unet.ts' },
  },
  {
    place: 'text, claim 4',
    what: 'the effect carries over, small, to kitchen or not on NYU Depth V2',
    answer: { table: 'table4' },
  },
  {
    place: 'Tables 1 and 2',
    what: 'a noisy picture with its predicted and its true depth in each row',
    answer: { table: 'table1' },
  },
];
