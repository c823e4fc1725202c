// The five networks by name, as the modules that a run trains one after the other.
import { paperHeadWidths, paperWidths } from '../../../models/cross-stitch.ts';
import { AuxiliaryNetwork, CrossStitchNetwork, FunnelNet } from '../../../models/index.ts';
import { type NetworkName, networkTasks, stitchMatrices, type TrainingSettings } from './settings.ts';

/** The stitch matrix is the paper's where it is left out. */
export type NetworkSettings = Pick<
  TrainingSettings,
  'network' | 'widths' | 'headWidths' | 'segmentationSigmoid' | 'segmentationBias' | 'stitchPerStage'
> &
  Partial<Pick<TrainingSettings, 'stitch'>>;

/** One network with stitched branches, or the two of OEQ. */
export type PetNetworks =
  | { readonly kind: 'joint'; readonly network: CrossStitchNetwork }
  | { readonly kind: 'sequential'; readonly auxiliary: AuxiliaryNetwork; readonly funnel: FunnelNet };

export function buildNetworks(settings: NetworkSettings): PetNetworks {
  const { network: name, widths, headWidths, segmentationSigmoid, segmentationBias, stitchPerStage } = settings;
  if (name === 'oeq') {
    return {
      kind: 'sequential',
      auxiliary: new AuxiliaryNetwork({ widths, headWidths }),
      funnel: new FunnelNet({ widths, segmentationSigmoid }),
    };
  }
  const { stitch = stitchMatrices[name] } = settings;
  const sizes = { tasks: networkTasks[name], widths, headWidths, ...(stitch ? { stitch } : {}) };
  return {
    kind: 'joint',
    network: new CrossStitchNetwork({ ...sizes, stitchPerStage, segmentationSigmoid, segmentationBias }),
  };
}

/** A network of the paper's size and options. */
export const buildPaperNetworks = (network: NetworkName): PetNetworks =>
  buildNetworks({
    network,
    widths: paperWidths,
    headWidths: paperHeadWidths,
    segmentationSigmoid: true,
    segmentationBias: false,
    stitchPerStage: false,
  });
