// `wgrad predict`: depth maps of pictures from trained weights, with time and peak memory.
import { createDevice, type DeviceChoice, setDefaultDevice } from '../../engine/index.ts';
import { checkNames, loadNetwork, outputsOf, predictFile } from '../papers/multidepth/predict.ts';
import { checkWritable } from '../runner/reproduce.ts';

export interface PredictFlags {
  out: string;
  device: DeviceChoice;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** Predicts all pictures and returns the exit status. */
export async function predictCommand(weights: string, images: readonly string[], flags: PredictFlags): Promise<number> {
  checkNames(images, flags.out);
  await checkWritable(flags.out);
  const device = await createDevice(flags.device);
  setDefaultDevice(device);
  print(`device ${device.description}`);
  let started = performance.now();
  const network = await loadNetwork(weights);
  print(`${weights}: ${network.model.parameterCount()} parameters, ${seconds(started)}`);
  for (const image of images) {
    started = performance.now();
    const [width, height] = await predictFile(network, image, flags.out);
    print(`${image}: ${width} x ${height}, ${seconds(started)}: ${outputsOf(flags.out, image).depth}`);
  }
  const resident = process.resourceUsage().maxRSS * 1024;
  print(`peak memory: tensors ${megabytes(device.statistics().peakBytes)}, process ${megabytes(resident)}`);
  return 0;
}
