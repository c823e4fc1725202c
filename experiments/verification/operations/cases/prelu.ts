// Cases of the operations of engine/ops/prelu.ts.
import * as w from '../../../../engine/index.ts';
import { type FamilyCases, input, two } from '../case.ts';

export const prelu: FamilyCases = {
  gradients: [two('prelu', w.prelu, input(2, 3, 2), input(3)), two('prelu', w.prelu, input(4), input(1))],
};
