// Watching operations at work: which of them a piece of code enters, what each is made of, what its vjp uses, and which
// kernels it launches. Nothing of this is written down anywhere; it is seen.
import { type Device, observeOperations, type OperationPart } from '../../../engine/index.ts';

/** What has been seen of one operation. The sets keep the order of first appearance. */
export interface Sighting {
  /** Kernels launched by its own forward pass. */
  readonly kernels: Set<string>;
  /** Operations that a composite calls. */
  readonly parts: Set<string>;
  /** Operations that its vjp calls. */
  readonly gradient: Set<string>;
}

export type Sightings = Map<string, Sighting>;

const fresh = (): Sighting => ({ kernels: new Set(), parts: new Set(), gradient: new Set() });

/** Runs `body` and adds what operations do meanwhile. Kernels are seen where `device` is given. */
export async function watch<T>(sightings: Sightings, body: () => T | Promise<T>, device?: Device): Promise<T> {
  const open: { name: string; part: OperationPart }[] = [];
  const of = (name: string): Sighting => {
    const sighting = sightings.get(name) ?? fresh();
    sightings.set(name, sighting);
    return sighting;
  };
  const before = observeOperations({
    around(name, part, run) {
      const outer = open.at(-1);
      if (part !== 'vjp') {
        of(name);
        if (outer) of(outer.name)[outer.part === 'vjp' ? 'gradient' : 'parts'].add(name);
      }
      open.push({ name, part });
      try {
        return run();
      } finally {
        open.pop();
      }
    },
  });
  if (device) {
    device.observer = {
      before(kernel) {
        const inner = open.at(-1);
        if (inner?.part === 'forward') of(inner.name).kernels.add(kernel.name);
      },
    };
  }
  try {
    return await body();
  } finally {
    observeOperations(before);
    if (device) device.observer = undefined;
  }
}
