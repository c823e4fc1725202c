// Forward and backward of the five networks of cross-stitch against the same networks in PyTorch (cross_stitch_torch.py), training mode, sizes
// of the small variant at 32 x 32. Skipped where there is no Python with PyTorch.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import {
  add,
  type Device,
  manualSeed,
  mul,
  nn,
  random,
  readSafetensors,
  type SafetensorsEntry,
  scope,
  setDefaultDevice,
  sum,
  Tensor,
  tensor,
  writeSafetensors,
} from '../../engine/index.ts';
import { sizeOf } from '../../engine/shape.ts';
import type { PetOutputs, PetTask } from '../../models/index.ts';
import { buildNetworks, type PetNetworks } from '../../experiments/papers/cross-stitch/networks.ts';
import { type NetworkName, networkNames, networkTasks } from '../../experiments/papers/cross-stitch/settings.ts';
import { repositoryRoot } from '../shared-data.ts';
import { onEach, testedOn } from '../tested-on.ts';

const python = '/usr/bin/python3';
const script = path.join(repositoryRoot(), 'test/golden/cross_stitch_torch.py');
const probe = spawnSync(python, ['-c', 'import torch, numpy'], { encoding: 'utf8' });
const skip = probe.status === 0 ? false : `${python} has no torch: ${(probe.stderr ?? '').trim().split('\n').at(-1)}`;

/** Largest difference of an array relative to its largest value. */
const TOLERANCE = 1e-4;
/** A bias before batch norm has no gradient but rounding: it is measured against the gradient of its weight. */
const scaleOf = (key: string): string => key.replace(/^(grad\..*sample\.)bias$/, '$1weight');
const [batch, size, widths, headWidths] = [3, 32, [8, 16, 32, 64], [16, 12]] as const;

/** Both networks of OEQ as one module, the features being constants for the second. */
class Whole extends nn.Module {
  readonly auxiliary?: nn.Module;
  readonly funnel?: nn.Module;
  readonly run: (x: Tensor) => PetOutputs;

  constructor(networks: PetNetworks) {
    super();
    if (networks.kind === 'joint') {
      this.run = (x) => networks.network.forward(x);
      return;
    }
    const { auxiliary, funnel } = networks;
    this.auxiliary = auxiliary;
    this.funnel = funnel;
    this.run = (x) => {
      const { features, ...outputs } = auxiliary.forward(x);
      return { ...outputs, segmentation: funnel.forward(x, [features[0].detach(), features[1].detach()]) };
    };
  }
}

const hasSigmoid = (network: NetworkName): boolean => network !== 'binary';

const entry = (values: ArrayLike<number>, shape: readonly number[]): SafetensorsEntry => ({
  dtype: 'F32',
  shape: [...shape],
  data: Float32Array.from(values),
});

/** Pictures that PyTorch chooses from. */
const CANDIDATES = 8;
const picture = batch * 3 * size * size;
const outputShapes = { segmentation: [batch, 2, size, size], box: [batch, 4], binary: [batch, 2] } as const;

interface Oracle {
  networks: PetNetworks;
  module: nn.Module;
  x: Float32Array;
  cotangents: ReadonlyMap<PetTask, Float32Array>;
}

/** What PyTorch makes of the network, and the picture that it chose. */
async function askTorch(t: Test, network: NetworkName, { networks, module, x, cotangents }: Oracle) {
  const request = new Map<string, SafetensorsEntry>();
  for (const [key, { shape, values }] of await module.stateDict()) request.set(`state.${key}`, entry(values, shape));
  request.set('x', entry(x, [CANDIDATES, batch, 3, size, size]));
  for (const [task, values] of cotangents) request.set(`cotangent.${task}`, entry(values, outputShapes[task]));
  const about = {
    kind: networks.kind === 'joint' ? 'joint' : 'oeq',
    tasks: networkTasks[network],
    widths,
    hidden: headWidths,
    units: networks.kind === 'joint' ? (networks.network.stitches?.length ?? 0) : 0,
    sigmoid: hasSigmoid(network),
  };
  const folder = t.testdir();
  const [question, answer] = [path.join(folder, 'request'), path.join(folder, 'answer')];
  writeFileSync(question, writeSafetensors({ tensors: request, metadata: { network: JSON.stringify(about) } }));
  execFileSync(python, [script, question, answer], { stdio: 'pipe' });
  const { tensors } = readSafetensors(readFileSync(answer), answer);
  const chosen = (tensors.get('chosen')!.data as Float32Array)[0]!;
  tensors.delete('chosen');
  return { tensors, chosen: x.subarray(chosen * picture, (chosen + 1) * picture) };
}

/** Compares outputs, gradients and running statistics of one network on a device. */
async function compareWithTorch(t: Test, network: NetworkName, device: Device): Promise<void> {
  setDefaultDevice(device);
  manualSeed(11);
  const networks = buildNetworks({
    network,
    widths,
    headWidths,
    segmentationSigmoid: hasSigmoid(network),
    segmentationBias: false,
    stitchPerStage: network === 'box',
  });
  const whole = new Whole(networks);
  const module = networks.kind === 'joint' ? networks.network : whole;
  const x = random(2, 'pictures').uniformArray(CANDIDATES * picture);
  const cotangents = new Map(
    networkTasks[network].map((task) => [task, random(3, task).normalArray(sizeOf(outputShapes[task]))]),
  );
  const { tensors, chosen } = await askTorch(t, network, { networks, module, x, cotangents });

  using _ = scope();
  const outputs = Object.entries(whole.run(tensor(chosen, [batch, 3, size, size]))) as [PetTask, Tensor][];
  const terms = outputs.map(([task, value]) => sum(mul(value, tensor(cotangents.get(task)!, value.shape))));
  terms.reduce((total, term) => add(total, term)).backward();
  const ours = new Map<string, Tensor>(outputs.map(([key, value]) => [`output.${key}`, value]));
  for (const [key, value] of module.namedParameters()) ours.set(`grad.${key}`, value.grad!);
  for (const [key, value] of module.namedState())
    if (value instanceof Tensor && /running/.test(key)) ours.set(`after.${key}`, value);
  t.same([...ours.keys()].sort(), [...tensors.keys()].sort());
  let worst = { key: '', error: 0 };
  for (const [key, value] of ours) {
    const theirs = tensors.get(key)!.data as Float32Array;
    const mine = await value.array();
    const scale = (tensors.get(scaleOf(key))!.data as Float32Array).reduce(
      (largest, each) => Math.max(largest, Math.abs(each)),
      0,
    );
    const error = theirs.reduce((most, each, i) => Math.max(most, Math.abs(each - mine[i]!)), 0) / scale;
    if (!(error <= worst.error)) worst = { key, error };
  }
  t.ok(worst.error <= TOLERANCE, `largest relative difference ${worst.error} in ${worst.key}`);
  module.dispose();
}

await onEach(t, testedOn('wasm', 'reference', 'webgpu'), async (t, device, name) => {
  // Float64 loops take seconds: the network with all parts stands for the others.
  for (const network of name === 'reference' ? (['mtl'] as const) : networkNames) {
    await t.test(network, { skip }, (t) => compareWithTorch(t, network, device));
  }
});
