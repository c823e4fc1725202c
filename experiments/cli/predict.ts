// `wgrad predict`: what a trained network makes of pictures, with time and peak memory.
import { createDevice, type DeviceChoice, Profiler, setDefaultDevice } from '../../engine/index.ts';
import { paperNamed } from '../papers/index.ts';
import { ProfileFolder } from '../runner/profile.ts';
import { checkWritable } from '../runner/reproduce.ts';
import { print } from './output.ts';
import { profileText } from './profile.ts';
import { DEFAULT_WIDTH } from './tables.ts';

export interface PredictFlags {
  out: string;
  device: DeviceChoice;
  bgr?: boolean;
  upload?: boolean;
  profile?: boolean;
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** Predicts all pictures with the weights of a paper's network and returns the exit status. */
export async function predictCommand(
  paper: string,
  weights: string,
  images: readonly string[],
  flags: PredictFlags,
): Promise<number> {
  const { check, load } = paperNamed(paper).predict!;
  const options = { bgr: flags.bgr, upload: flags.upload };
  check(images, flags.out, options);
  await checkWritable(flags.out);
  const device = await createDevice(flags.device);
  setDefaultDevice(device);
  print(`device ${device.description}`);
  let started = performance.now();
  const network = await load(weights);
  print(`${weights}: ${network.parameterCount} parameters, ${seconds(started)}`);
  const profiler = flags.profile ? new Profiler({ device }) : undefined;
  for (const image of images) {
    started = performance.now();
    const done = await network.predict(image, flags.out, options);
    await profiler?.step();
    print(`${image}: ${done}, ${seconds(started)}`);
  }
  if (profiler) {
    const profiles = new ProfileFolder(flags.out);
    const name = `${images.length} picture(s), the first of which includes warming up`;
    profiles.add(name, await profiler.stop(), { jobs: 1, threads: Number(device.facts.threads ?? 1) });
    await profiles.written();
    for (const record of profiles.records) {
      print(profileText(record, profiles.traceFile, process.stdout.columns || DEFAULT_WIDTH));
    }
  }
  const resident = process.resourceUsage().maxRSS * 1024;
  print(`peak memory: tensors ${megabytes(device.statistics().peakBytes)}, process ${megabytes(resident)}`);
  return 0;
}
