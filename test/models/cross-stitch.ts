// What a stitch matrix does, on any device: identity, permutation, other sizes of unit, shapes and refusals.
import type { Test } from 'tap';
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

const tasks: readonly PetTask[] = ['binary', 'box', 'segmentation'];

function build(stitch: StitchMatrix, stitchPerStage = false): CrossStitchNetwork {
  manualSeed(5);
  return new CrossStitchNetwork({ tasks, widths: [4, 4, 8, 8], headWidths: [6, 5], stitch, stitchPerStage });
}

const pictures = (): Tensor => tensor(random(1, 'pictures').uniformArray(2 * 3 * 256), [2, 3, 16, 16]);

const identity: StitchMatrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // prettier-ignore
const rotation: StitchMatrix = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]; // prettier-ignore

/** All checks on one device. */
export async function stitchChecks(t: Test, device: Device): Promise<void> {
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
