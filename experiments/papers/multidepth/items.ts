// What the paper prints and no table or claim of ours names as its source.
import type { OtherItem } from '../../runner/paper.ts';

export const otherItems: readonly OtherItem[] = [
  {
    place: 'text',
    what: 'the classification decoder can be left out at test time',
    answer: {
      why: 'nothing to measure: the heads share the encoder alone, and the regression is the same without the other one',
    },
  },
  {
    place: 'text',
    what: 'about half of the parameters are shared by both tasks',
    answer: { why: 'a count, not a run: 42,623,936 of 88,788,449, which the tests of the network hold' },
  },
  {
    place: 'text',
    what: 'about 90 epochs, 5 days on one GTX 1080 Ti',
    answer: { why: "a time of the authors' machine; 500,000 updates are 93 epochs at batch 16 and 186 at batch 32" },
  },
  {
    place: 'text',
    what: 'about 12 % of the pixels are measured, down to 0.8 % in some frames',
    answer: { table: 'figure3' },
  },
  { place: 'text', what: 'almost nothing is measured in the upper part of a picture', answer: { table: 'figure3' } },
  {
    place: 'text',
    what: '16.05 on the test server; DORN 11.77, VGG16-UNet 13.41, HGR 15.47',
    answer: { table: 'server' },
  },
];
