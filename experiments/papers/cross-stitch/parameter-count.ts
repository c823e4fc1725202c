// From the learnable parameters of a network to the number printed in table 1. The authors' summary tool walks layers: it does
// not see bare parameters, and counts a module once for each time it is registered and called (section 3.6).
import type { PetNetworks } from './networks.ts';

/** Learnable values, each counted once. OEQ: of the segmentation network alone, as in the paper. */
export const distinctParameters = (networks: PetNetworks): number =>
  (networks.kind === 'joint' ? networks.network : networks.funnel).parameterCount();

/** What the summary tool of the paper prints for a network with one stitch matrix for all stages. */
export function publishedParameters(networks: PetNetworks): number {
  const distinct = distinctParameters(networks);
  if (networks.kind === 'sequential') {
    const { stitch1, stitch2, mix } = networks.funnel;
    return distinct - stitch1.alpha.size - stitch2.alpha.size - mix.size;
  }
  const { tasks, stem, stitches, segmentation } = networks.network;
  // The stem is an attribute and the first entry of every branch, and is called for every branch.
  const extraStems = (tasks.length + 1) * tasks.length - 1;
  // The last convolution is an attribute and the end of the decoder, and is called once.
  return (
    distinct -
    (stitches?.parameterCount() ?? 0) +
    extraStems * stem.parameterCount() +
    segmentation.conv.parameterCount()
  );
}
