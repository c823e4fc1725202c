// Every ladder. No part of the library: benchmarks and tests import it.
import { conv2dLadder, inputGradientLadder, transposeLadder, weightGradientLadder } from './conv2d/ladder.ts';
import type { Ladder } from './ladder.ts';
import { matmulLadder } from './matmul/ladder.ts';
import { reductionLadder } from './reduction/ladder.ts';
import { ssimLadder } from './ssim/ladder.ts';

export const ladders = [
  matmulLadder,
  conv2dLadder,
  inputGradientLadder,
  transposeLadder,
  weightGradientLadder,
  ssimLadder,
  reductionLadder,
] as unknown as readonly Ladder<never>[];
