// The backbones that weights can be imported for, by name: those of DenseDepth, and the HRNets of MTI-Net.
import type { nn } from '../../engine/index.ts';
import { type BackboneName, backbones, HRNet, makeBackbone } from '../../models/index.ts';

/** Names for `wgrad weights import --for`. */
export type WeightsName = BackboneName | 'hrnet-w18-small-v2' | 'hrnet-w18';

const hrnets: Readonly<Record<string, () => nn.Module>> = {
  'hrnet-w18-small-v2': () => new HRNet('w18-small-v2'),
  'hrnet-w18': () => new HRNet('w18'),
};

/** All of these names. */
export const weightsNames = [...Object.keys(backbones), ...Object.keys(hrnets)] as readonly WeightsName[];

/** The backbone with random weights, without its classifier. */
export const makeForWeights = (name: WeightsName): nn.Module => hrnets[name]?.() ?? makeBackbone(name as BackboneName);
