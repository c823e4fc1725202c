// Launches of kernels with what they read: the cases of all operations run on the reference device, forward and backward twice, and steps
// of the optimisers, and every launch of other parameters is written down. So every kernel that an operation uses is met with operands
// that it may get.
import {
  Adam,
  createDevice,
  type Device,
  type HostArray,
  parameter,
  RMSprop,
  scope,
  SGD,
  tensor,
  type Parameter,
} from '../../../engine/index.ts';
import type { Doorkeeper, Storage } from '../../../engine/devices/device.ts';
import type { DType, Kernel, ParamValues } from '../../../kernels/kernel.ts';
import { cases } from '../operations/cases/index.ts';
import { runCase } from '../operations/facts.ts';

/** The content of an operand. */
export interface Content {
  readonly dtype: DType;
  readonly values: HostArray;
}

/** A launch, with its operands before it. */
export interface Launch {
  readonly kernel: Kernel<never>;
  readonly params: ParamValues;
  readonly inputs: readonly Content[];
  readonly outputs: readonly Content[];
}

/** Stands at the door of a device, lets everything pass and keeps each new launch. */
class Recorder implements Doorkeeper {
  readonly #device: Device;
  readonly #seen = new Set<string>();
  readonly #launches: Promise<Launch>[] = [];

  constructor(device: Device) {
    this.#device = device;
    device.doorkeeper = this;
  }

  allocate(length: number, dtype: DType): Storage {
    return this.#pass(() => this.#device.allocate(length, dtype));
  }

  released(): void {
    // The device lets go of it by itself.
  }

  write(...args: Parameters<Doorkeeper['write']>): void {
    this.#pass(() => this.#device.write(...args));
  }

  reads(): void {
    // Nothing is held back that would have to run first.
  }

  launch<P extends ParamValues>(kernel: Kernel<P>, inputs: Storage[], outputs: Storage[], params: P): void {
    this.#pass(() => {
      const key = `${kernel.name} ${JSON.stringify(params)}`;
      if (!kernel.plans && !this.#seen.has(key)) {
        this.#seen.add(key);
        this.#launches.push(this.#keep(kernel as unknown as Kernel<never>, inputs, outputs, params));
      }
      this.#device.launch(kernel, inputs, outputs, params);
    });
  }

  launches(): Promise<Launch[]> {
    this.#device.doorkeeper = undefined;
    return Promise.all(this.#launches);
  }

  /** The reference device reads at once, and resolves later. */
  async #keep(kernel: Kernel<never>, inputs: Storage[], outputs: Storage[], params: ParamValues): Promise<Launch> {
    const read = (storages: Storage[]): Promise<Content[]> =>
      Promise.all(storages.map((storage) => this.#content(storage)));
    const [before, after] = [read(inputs), read(outputs)];
    return { kernel, params, inputs: await before, outputs: await after };
  }

  /** As a device of float32 holds it. */
  async #content(storage: Storage): Promise<Content> {
    const { dtype } = storage;
    const values = await this.#device.read(storage);
    return { dtype, values: dtype === 'float32' ? Float32Array.from(values) : values };
  }

  #pass<T>(run: () => T): T {
    this.#device.doorkeeper = undefined;
    try {
      return run();
    } finally {
      this.#device.doorkeeper = this;
    }
  }
}

/** A step of every optimiser, in each of its ways. */
function stepOptimizers(device: Device): void {
  const makers: ((parameters: Parameter[]) => { step(): void })[] = [
    (p) => new SGD(p, { lr: 0.1 }),
    (p) => new SGD(p, { lr: 0.1, momentum: 0.9 }),
    (p) => new Adam(p, { lr: 0.1 }),
    (p) => new Adam(p, { lr: 0.1, amsgrad: true }),
    (p) => new RMSprop(p, { lr: 0.1 }),
    (p) => new RMSprop(p, { lr: 0.1, momentum: 0.9 }),
    (p) => new RMSprop(p, { lr: 0.1, centered: true }),
    (p) => new RMSprop(p, { lr: 0.1, centered: true, momentum: 0.9 }),
  ];
  for (const make of makers) {
    using _ = scope();
    const weights = parameter([0.5, -1, 2, 0.25, 3, -0.125], [2, 3], device);
    const optimizer = make([weights]);
    for (let step = 0; step < 2; step++) {
      weights
        .mul(weights)
        .mul(tensor([1, 2, 3], undefined, { device }))
        .sum()
        .backward();
      optimizer.step();
    }
  }
}

/** Launches of other parameters each, in the order of operations. Takes about two seconds. */
export async function harvestLaunches(): Promise<Launch[]> {
  const device = await createDevice('reference');
  const recorder = new Recorder(device);
  for (const [seed, each] of cases.entries()) await runCase(each, seed, device);
  stepOptimizers(device);
  const launches = await recorder.launches();
  device.dispose();
  return launches;
}
