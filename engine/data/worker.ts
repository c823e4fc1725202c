// A worker of a DataLoader: makes the data set for itself and answers with samples. Bundled to one script and started from
// its text. It knows nothing of the engine: what it throws is told to the loader, which makes an error of it.
interface Start {
  readonly module: string;
  readonly options: unknown;
}

/** Asks for the samples of a batch. */
export interface BatchRequest {
  readonly id: number;
  readonly indices: Int32Array;
  readonly epoch: number;
}

/** Its answer; `failed` is the index of the sample that could not be had. */
export type BatchAnswer =
  | { readonly id: number; readonly samples: unknown[] }
  | { readonly id: number; readonly failed: number | undefined; readonly reason: unknown };

interface Samples {
  get(index: number, epoch: number): unknown;
}

/**
 * A value to be sent. Arrays are copied and their copies given away: a part of a long array would take all of it along, and
 * what the data set keeps must stay.
 */
function packed(given: unknown, buffers: ArrayBuffer[]): unknown {
  if (typeof given === 'function' || typeof given === 'symbol') throw new TypeError(`a ${typeof given} in a sample`);
  if (typeof given !== 'object' || given === null) return given;
  if (ArrayBuffer.isView(given) && !(given instanceof DataView)) {
    const copy = (given as Uint8Array).slice();
    buffers.push(copy.buffer);
    return copy;
  }
  if (Array.isArray(given)) return given.map((each) => packed(each, buffers));
  const prototype: unknown = Object.getPrototypeOf(given);
  if (prototype !== Object.prototype && prototype !== null) {
    const { name } = given.constructor;
    throw new TypeError(`a ${name} in a sample: workers send numbers, texts, typed arrays, arrays and objects`);
  }
  return Object.fromEntries(Object.entries(given).map(([key, each]) => [key, packed(each, buffers)]));
}

async function answer(dataset: Samples, { id, indices, epoch }: BatchRequest, buffers: ArrayBuffer[]) {
  const samples: unknown[] = [];
  for (const index of indices) {
    try {
      samples.push(packed(await dataset.get(index, epoch), buffers));
    } catch (reason) {
      return { id, failed: index, reason };
    }
  }
  return { id, samples };
}

async function start(): Promise<void> {
  const { parentPort, workerData } = await import('node:worker_threads');
  const { module, options } = workerData as Start;
  const making = (async () => {
    const { default: factory } = (await import(module)) as { default: (given: unknown) => Promise<Samples> };
    return factory(options);
  })();
  making.catch(() => undefined); // told to whoever asks for a batch
  parentPort!.on('message', (request: BatchRequest) => {
    const buffers: ArrayBuffer[] = [];
    const { id } = request;
    making
      .then(
        (dataset) => answer(dataset, request, buffers),
        (reason: unknown) => ({ id, failed: undefined, reason }),
      )
      .then((found) => parentPort!.postMessage(found, buffers))
      // An error that cannot be cloned.
      .catch((reason: unknown) => parentPort!.postMessage({ id, failed: undefined, reason: String(reason) }));
  });
}

void start();
