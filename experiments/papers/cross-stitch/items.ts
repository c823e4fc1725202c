// What the paper prints and no table or claim of ours names as its source.
import type { OtherItem } from '../../runner/paper.ts';

export const otherItems: readonly OtherItem[] = [
  { place: 'text', what: 'the losses flatten near epoch 80 of 150', answer: { table: 'curves' } },
  {
    place: 'text',
    what: 'the task weights are averaged dynamically',
    answer: { table: 'task-weights' },
  },
  { place: 'text', what: 'the stitch matrix is learned', answer: { table: 'stitch' } },
  {
    place: 'text',
    what: 'a pass over the chunked data takes about 4 s',
    answer: {
      why: "a time of the authors' machine, of which nothing else is known; ours stand in runs.json of every run folder",
    },
  },
  {
    place: 'text',
    what: '3,684 images',
    answer: { why: 'a miscount: the files hold 3,686 (2,210 + 738 + 738), which the tests of the data hold' },
  },
];
