// One training step in a process that has done nothing else: `node one-step.js wasm 2` (threads). Speaks the part of the peers'
// protocol (peers/protocol.mjs) that start-up and memory need. Loads the engine and the network that is asked for, no more.
import { createInterface } from 'node:readline';
import type { Device } from '../../engine/index.ts';
import type { CaseShape } from '../peers/protocol.mjs';
import { ProcessMemory } from '../measure/memory.ts';
import type { StepBuilder, TrainingStep } from '../networks/step.ts';

const builders: Readonly<Record<string, () => Promise<StepBuilder>>> = {
  'unet.step': async () => (await import('../networks/unet.ts')).unetStep,
  'multidepth.step': async () => (await import('../networks/multidepth.ts')).multiDepthStep,
  'crossStitch.step': async () => (await import('../networks/cross-stitch.ts')).crossStitchStep,
  'denseBlock.step': async () => (await import('../networks/densenet.ts')).denseBlockStep,
  'denseDepth.step': async () => (await import('../networks/dense-depth.ts')).denseDepthStep,
  'imbalancedMtl.step': async () => (await import('../networks/imbalanced-mtl.ts')).imbalancedStep,
  'denseNet.step': async () => (await import('../networks/densenet.ts')).denseNetStep,
};

interface Request {
  once?: string;
  shape?: CaseShape;
  memory?: number;
}

const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

class OneStep {
  readonly #device: string;
  readonly #threads: number;
  #step: TrainingStep | undefined;
  #opened: Device | undefined;
  #memory: ProcessMemory | undefined;

  constructor(device: string, threads: number) {
    this.#device = device;
    this.#threads = threads;
  }

  async #update(): Promise<void> {
    const { scope } = await import('../../engine/index.ts');
    using _step = scope();
    await this.#step!.step();
    await this.#opened!.synchronize();
  }

  async #once(benchmark: string, shape: CaseShape): Promise<object> {
    const { createDevice } = await import('../../engine/index.ts');
    const device = await createDevice(this.#device as 'wasm', { threads: this.#threads });
    const build = await builders[benchmark]!();
    this.#opened = device;
    this.#step = build(device, shape);
    await device.synchronize();
    const { liveBytes } = device.statistics();
    device.resetPeakBytes();
    this.#memory = new ProcessMemory();
    await this.#update();
    return { once: { liveBytes } };
  }

  async #used(repetitions: number): Promise<object> {
    for (let i = 0; i < repetitions; i++) await this.#update();
    const before = this.#opened!.statistics();
    await this.#update();
    const { launches, submits, peakBytes } = this.#opened!.statistics();
    return {
      memory: {
        ...this.#memory!.used(),
        peakDeviceBytes: peakBytes,
        launches: launches - before.launches,
        submits: submits - before.submits,
      },
    };
  }

  answer({ once, shape, memory }: Request): Promise<object> {
    if (once !== undefined) return this.#once(once, shape ?? {});
    return this.#used(memory ?? 0);
  }
}

const [name = 'wasm', threads = '1'] = process.argv.slice(2);
const one = new OneStep(name, Number(threads));
say({ name: 'wgrad', version: '', details: `${name}, ${threads} threads` });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    say(await one.answer(JSON.parse(line) as Request));
  } catch (error) {
    say({ absent: (error as Error).message.split('\n')[0] });
  }
}
process.exit(0);
