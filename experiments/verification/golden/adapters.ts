// Every operation of the fixtures that the engine has: those of the families, small networks, and gradients of gradients.
import * as w from '../../../engine/index.ts';
import type { Tensor } from '../../../engine/index.ts';
import { goldenAdapters } from '../operations/cases/index.ts';
import type { Adapter, Attributes, Outputs } from './adapter.ts';
import { moduleAdapters } from './modules.ts';

export const adapters: Readonly<Record<string, Adapter>> = {
  ...goldenAdapters,
  ...moduleAdapters,
  grad_of: (t, a) => {
    const { v, ...base } = t;
    const of = adapters[a.of as string];
    if (!of) throw new w.ConfigError('no such operation', { operation: 'grad_of', given: String(a.of) });
    const wrt = a.wrt as string[];
    const y = outputsOf(of(base, a.of_attrs as Attributes)).y!;
    const first = w.grad(
      y,
      wrt.map((name) => base[name]!),
      { gradOutputs: [v], createGraph: true },
    );
    return Object.fromEntries(wrt.map((name, i) => [`d.${name}`, first[i]!]));
  },
};

export const outputsOf = (result: Outputs | Tensor): Outputs => (result instanceof w.Tensor ? { y: result } : result);
