// The cross-stitch networks: parameter counts by layer, distinct and as published, and the checks of cross-stitch.ts.
import t from 'tap';
import { createDevice, setDefaultDevice } from '../../engine/index.ts';
import { buildNetworks, buildPaperNetworks } from '../../experiments/papers/cross-stitch/networks.ts';
import { distinctParameters, publishedParameters } from '../../experiments/papers/cross-stitch/parameters.ts';
import { networkNames } from '../../experiments/papers/cross-stitch/settings.ts';
import { stitchChecks } from './cross-stitch.ts';

const meta = await createDevice('meta');

const counts = {
  baseline: [18_881_615, 18_882_133],
  binary: [24_027_597, 24_029_967],
  box: [24_027_759, 24_030_129],
  mtl: [29_173_742, 29_178_891],
  oeq: [46_271_492, 46_271_473],
} as const;

/** Of stages down and up, from the picture to the bottleneck and back. */
const layers = {
  down: [14_016, 55_680, 221_952, 886_272, 3_542_016],
  up: [10_621_696, 2_656_640, 664_768, 166_496, 41_776, 9785],
} as const;

t.test('parameters of the networks, distinct and as published', (t) => {
  setDefaultDevice(meta);
  for (const name of networkNames) {
    const networks = buildPaperNetworks(name);
    t.equal(distinctParameters(networks), counts[name][0], `${name}, distinct`);
    t.equal(publishedParameters(networks), counts[name][1], `${name}, as published`);
    if (networks.kind === 'joint') {
      const { stem, encoders, segmentation, binary, box } = networks.network;
      t.same([...encoders.at(0)].map((stage) => stage.parameterCount()), layers.down); // prettier-ignore
      t.same([...segmentation.stages].map((stage) => stage.parameterCount()), layers.up); // prettier-ignore
      t.equal(stem.parameterCount(), 464);
      if (binary) t.equal(binary.parameterCount(), 426_042);
      if (box) t.equal(box.parameterCount(), 426_204);
    }
    // The specification counts 4 more: a stitch matrix that the authors' class has and never uses.
    if (networks.kind === 'sequential') t.equal(networks.auxiliary.parameterCount() + 4, 10_296_890);
  }
  t.end();
});

const small = {
  widths: [8, 16, 32, 64, 128],
  headWidths: [64, 32],
  segmentationSigmoid: true,
  segmentationBias: false,
} as const;

t.test('parameters of the small variant', (t) => {
  setDefaultDevice(meta);
  const of = (network: 'baseline' | 'binary' | 'mtl', stitchPerStage = false): number =>
    distinctParameters(buildNetworks({ network, ...small, stitchPerStage }));
  t.equal(of('baseline'), 1_181_639);
  t.equal(of('binary'), 1_511_821);
  t.equal(of('mtl'), 1_842_070);
  t.equal(of('mtl', true), 1_842_070 + 3 * 9, 'a matrix for each of the four stages');
  t.end();
});

for (const name of ['wasm', 'reference'] as const) {
  await t.test(name, async (t) => {
    const device = await createDevice(name, { threads: 1 });
    await stitchChecks(t, device);
    device.dispose();
  });
}
