// The papers that can be reproduced, in the order of `wgrad list`.
import { ConfigError } from '../../engine/index.ts';
import type { Paper } from '../runner/paper.ts';
import { crossStitch } from './cross-stitch/paper.ts';
import { densedepth } from './densedepth/paper.ts';
import { dmtl } from './dmtl/paper.ts';
import { imbalancedMtl } from './imbalanced-mtl/paper.ts';
import { multidepth } from './multidepth/paper.ts';

/** The papers that can be reproduced. */
export const papers: readonly Paper[] = [imbalancedMtl, dmtl, multidepth, crossStitch, densedepth];

/** Throws ConfigError for an unknown name. */
export function paperNamed(name: string): Paper {
  const paper = papers.find((each) => each.name === name);
  if (!paper) throw new ConfigError(`no paper '${name}'`, { expected: papers.map((each) => each.name).join(', ') });
  return paper;
}
