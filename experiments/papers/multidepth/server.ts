// The test server of KITTI in the text of the paper: its own number and those of the methods that it compares itself with. Published
// context: the depth of the test set is not public.
import { halfTheSmallestStep, matrix, notAttempted } from '../../runner/definition.ts';
import type { TableDefinition } from '../../runner/paper.ts';
import { silogColumn } from './cells.ts';

const anonymous =
  'the depth of the test set is not public: KITTI’s server scores uploads, such as the folder that `wgrad predict multidepth --upload` writes';
const others = 'a number of other authors, as the paper prints it';

export const server: TableDefinition = {
  name: 'server',
  title: 'SILog on KITTI’s test server, published context alone',
  source: 'text',
  matrix: matrix(
    'method',
    [{ ...silogColumn('SILog'), tolerance: halfTheSmallestStep([16.05, 11.77, 13.41, 15.47]) }],
    [
      ['MultiDepth, learned, patch 256', notAttempted(16.05, anonymous)],
      ['DORN', notAttempted(11.77, others)],
      ['VGG16-UNet', notAttempted(13.41, others)],
      ['HGR', notAttempted(15.47, others)],
    ],
  ),
  notes: [
    'None of these numbers is ours. The row of MultiDepth is the regression of the model in the last row of Table 1, whose validation ' +
      'SILog is 12.27.',
  ],
};
