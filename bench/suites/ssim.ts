// SSIM's fused kernels beside the same expression made of convolutions, and beside their floor: what the device needs to move
// the same bytes (adding two images) and to do as many operations (a matrix product). Window 11 x 11, valid.
//
//   node .config/build.mjs bench/suites/ssim.ts && node dist/bench/suites/ssim.js FILE
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import {
  add,
  createDevice,
  type Device,
  DeviceError,
  grad,
  matmul,
  mean,
  noGrad,
  random,
  scope,
  ssimMap,
  sum,
  tensor,
} from '../../engine/index.ts';
import { costOf, ssim as ssimKernel, ssimBackward } from '../../kernels/index.ts';
import { composedSsim } from '../../test/engine/composed-ssim.ts';
import { machineFacts } from '../report/document.ts';
import { median, ratio, timing } from '../measure/statistics.ts';

const WINDOW = 11;
const MATRIX = 512;
const ROUNDS = 7;
const SECONDS_PER_ROUND = 0.25;

const shapes = [
  [4, 1, 240, 320],
  [4, 3, 480, 640],
];

type Work = () => void;

/** Seconds of each repetition, for at least `seconds` in all. */
async function measure(device: Device, work: Work, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + 1000 * seconds;
  do {
    const started = performance.now();
    work();
    await device.synchronize();
    times.push((performance.now() - started) / 1000);
  } while (performance.now() < until);
  return times;
}

/** Times of all contestants, who take turns. The first turn warms up and does not count. */
async function inTurn<Name extends string>(device: Device, contestants: Record<Name, Work>) {
  const entries = Object.entries<Work>(contestants);
  const times = Object.fromEntries(entries.map(([name]) => [name, []])) as unknown as Record<Name, number[][]>;
  for (const [, work] of entries) await measure(device, work, 0);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, work] of entries) times[name as Name].push(await measure(device, work, SECONDS_PER_ROUND));
  }
  return times;
}

async function runShape(device: Device, shape: readonly number[]) {
  const [n, c, inH, inW] = shape as [number, number, number, number];
  const [outH, outW] = [inH - WINDOW + 1, inW - WINDOW + 1];
  const window = { windowH: WINDOW, windowW: WINDOW, padH: 0, padW: 0, c1: 1e-4, c2: 9e-4 };
  const params = { planes: n * c, inH, inW, outH, outW, ...window };
  const image = (seed: number, size: readonly number[]) =>
    tensor(random(seed, 'pixels').uniformArray(size.reduce((a, b) => a * b, 1)), size, { device, requiresGrad: true });
  const [x, y, a, b] = [image(1, shape), image(2, shape), image(3, [MATRIX, MATRIX]), image(4, [MATRIX, MATRIX])];
  const forward = (map: typeof ssimMap) => () => {
    using _ = scope();
    noGrad(() => mean(map(x, y)));
  };
  const both = (map: typeof ssimMap) => () => {
    using _ = scope();
    grad(sum(map(x, y)), [x, y]);
  };
  const composed: typeof ssimMap = (first, second) => composedSsim(first, second, WINDOW, 0, 1);
  const times = await inTurn(device, {
    fused: forward(ssimMap),
    composition: forward(composed),
    fusedGradients: both(ssimMap),
    compositionGradients: both(composed),
    add: () => {
      using _ = scope();
      noGrad(() => add(x, y));
    },
    matmul: () => {
      using _ = scope();
      noGrad(() => matmul(a, b));
    },
  });
  for (const each of [x, y, a, b]) each.dispose();

  const bytesPerSecond = (12 * x.size) / median(times.add.flat());
  const flopsPerSecond = (2 * MATRIX ** 3) / median(times.matmul.flat());
  const result = (name: string, fused: number[][], other: number[][], kernels: (typeof ssimKernel)[]) => {
    const costs = kernels.map((kernel) => costOf(kernel, params));
    const [flops, bytes] = [costs.reduce((s, cost) => s + cost.flops, 0), costs.reduce((s, cost) => s + cost.bytes, 0)];
    const measured = timing(fused, flops);
    const floor = { flops, bytes, byBytes: bytes / bytesPerSecond, byFlops: flops / flopsPerSecond };
    return {
      name: `${name}, ${shape.join('x')}`,
      fused: measured,
      composition: timing(other, flops),
      compositionOverFused: ratio(fused, other),
      floor,
      fusedOverFloor: measured.median / Math.max(floor.byBytes, floor.byFlops),
    };
  };
  return [
    result('forward', times.fused, times.composition, [ssimKernel]),
    result('forward and both gradients', times.fusedGradients, times.compositionGradients, [ssimKernel, ssimBackward]),
  ];
}

const loadBefore = os.loadavg();
const devices = [];
for (const [name, options] of [
  ['wasm', { threads: 2 }],
  ['webgpu', {}],
] as const) {
  try {
    const device = await createDevice(name, options);
    const cases = [];
    for (const shape of shapes) cases.push(...(await runShape(device, shape)));
    devices.push({ device: device.description, cases });
    device.dispose();
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    devices.push({ device: name, absent: error.message });
  }
}
const document = {
  command: 'node .config/build.mjs bench/suites/ssim.ts && node dist/bench/suites/ssim.js FILE',
  finished: new Date().toISOString(),
  machine: machineFacts(loadBefore),
  method:
    `Contestants take turns for ${ROUNDS} rounds of at least ${SECONDS_PER_ROUND} s each; times in seconds; ratios are medians of ` +
    'the same round. The floor is the larger of the bytes at the rate of adding two such images and the operations at the ' +
    `rate of a ${MATRIX} x ${MATRIX} matrix product, both measured in the same rounds; the mean of the map, its gradient and ` +
    'the host belong to what is measured, not to the floor.',
  devices,
};
const text = `${JSON.stringify(document, null, 2)}\n`;
const [file] = process.argv.slice(2);
if (file === undefined) process.stdout.write(text);
else await writeFile(file, text);
