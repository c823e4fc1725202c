// The cross-stitch networks: parameter counts by layer, distinct and as published, and what a stitch matrix does: identity,
// permutation, other sizes of unit, shapes and refusals.
import t, { type Test } from 'tap';
import {
  ConfigError,
  type Device,
  manualSeed,
  noGrad,
  random,
  scope,
  setDefaultDevice,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import {
  AuxiliaryNetwork,
  CrossStitch,
  CrossStitchNetwork,
  FunnelNet,
  type PetTask,
  type StitchMatrix,
} from '../../models/index.ts';
import { buildNetworks, buildPaperNetworks } from '../../experiments/papers/cross-stitch/networks.ts';
import { distinctParameters, publishedParameters } from '../../experiments/papers/cross-stitch/parameters.ts';
import { networkNames } from '../../experiments/papers/cross-stitch/settings.ts';
import { onEach, testedOn } from '../tested-on.ts';

const tasks: readonly PetTask[] = ['binary', 'box', 'segmentation'];

function build(stitch: StitchMatrix, stitchPerStage = false): CrossStitchNetwork {
  manualSeed(5);
  return new CrossStitchNetwork({ tasks, widths: [4, 4, 8, 8], headWidths: [6, 5], stitch, stitchPerStage });
}

const pictures = (): Tensor => tensor(random(1, 'pictures').uniformArray(2 * 3 * 256), [2, 3, 16, 16]);

const identity: StitchMatrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // prettier-ignore
const rotation: StitchMatrix = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]; // prettier-ignore

/** All checks on one device. */
async function stitchChecks(t: Test, device: Device): Promise<void> {
  setDefaultDevice(device);
  await t.test('identity stitches leave the branches independent, bit for bit', async (t) => {
    for (const perStage of [false, true]) {
      using _ = scope();
      const network = build(identity, perStage);
      const maps = noGrad(() => network.encode(pictures()));
      for (const [branch, map] of maps.entries()) {
        let alone = noGrad(() => network.stem.forward(pictures()));
        for (const stage of network.encoders.at(branch)) alone = noGrad(() => stage.forward(alone));
        t.same(await map.array(), await alone.array(), `branch ${branch}`);
      }
      network.dispose();
    }
  });

  await t.test('a permutation sends each map through the next branch', async (t) => {
    using _ = scope();
    const network = build(rotation);
    const maps = noGrad(() => network.encode(pictures()));
    for (const [branch, map] of maps.entries()) {
      let alone = noGrad(() => network.stem.forward(pictures()));
      // Before stage s the map goes from branch b + 1 to branch b, so it was in branch b + 2 - s at stage s of three.
      for (let stage = 0; stage < 3; stage++) {
        const at = (branch + 2 - stage) % 3;
        alone = noGrad(() => network.encoders.at(at).at(stage).forward(alone));
      }
      t.same(await map.array(), await alone.array(), `branch ${branch}`);
    }
    network.dispose();
  });

  await t.test('a unit takes any number of branches and any matrix', async (t) => {
    using _ = scope();
    const unit = new CrossStitch(2, undefined, { matrix: [[1.5, 0.5], [0.25, 2]] }); // prettier-ignore
    const [y0, y1] = unit.forward([tensor([[[[1, 2]]]]), tensor([[[[10, 20]]]])]);
    t.same([...(await y0!.array())], [6.5, 13]);
    t.same([...(await y1!.array())], [20.25, 40.5]);
    const four = new CrossStitch(4);
    t.same([...(await four.alpha.array())].slice(0, 2), [0.9, 0.1 / 3].map(Math.fround));
    t.throws(() => new CrossStitch(3, undefined, { matrix: [[1, 0], [0, 1]] }), ConfigError); // prettier-ignore
    t.throws(() => new CrossStitchNetwork({ tasks, widths: [4, 4] }), /stitch matrix/);
    t.throws(() => new CrossStitchNetwork({ tasks: ['box'] }), /needs segmentation/);
  });

  await t.test('shapes, and sides that cannot be halved', (t) => {
    using _ = scope();
    const widths = [2, 2, 4, 4];
    const network = build(identity);
    const { segmentation, box, binary } = network.forward(pictures());
    t.same([segmentation!.shape, box!.shape, binary!.shape], [[2, 2, 16, 16], [2, 4], [2, 2]]); // prettier-ignore
    const baseline = new CrossStitchNetwork({ tasks: ['segmentation'], widths });
    t.same(Object.keys(baseline.forward(pictures())), ['segmentation']);
    const auxiliary = new AuxiliaryNetwork({ widths, headWidths: [3, 3] }).forward(pictures());
    t.same(auxiliary.features.map(({ shape }) => shape), [[2, 4, 1, 1], [2, 4, 1, 1]]); // prettier-ignore
    t.same(new FunnelNet({ widths }).forward(pictures(), auxiliary.features).shape, [2, 2, 16, 16]);
    t.throws(() => network.forward(tensor(new Float32Array(3 * 24 * 16), [1, 3, 24, 16])), /multiples of 16/);
    t.end();
  });
}

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

async function testCounts(t: Test, meta: Device): Promise<void> {
  setDefaultDevice(meta);

  await t.test('parameters of the networks, distinct and as published', (t) => {
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

  await t.test('parameters of the small variant', (t) => {
    const of = (network: 'baseline' | 'binary' | 'mtl', stitchPerStage = false): number =>
      distinctParameters(buildNetworks({ network, ...small, stitchPerStage }));
    t.equal(of('baseline'), 1_181_639);
    t.equal(of('binary'), 1_511_821);
    t.equal(of('mtl'), 1_842_070);
    t.equal(of('mtl', true), 1_842_070 + 3 * 9, 'a matrix for each of the four stages');
    t.end();
  });
}

await onEach(t, testedOn('meta', 'wasm', 'reference', 'webgpu'), (t, device, name) =>
  name === 'meta' ? testCounts(t, device) : stitchChecks(t, device),
);
