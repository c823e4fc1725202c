// The networks' training steps, compiled: the same losses to the last bit, every operation known, and the programs that are printed.
// Also the kernels that do nothing, by which the host's share is measured.
import t from 'tap';
import { programOf } from '../../bench/commands/compile.ts';
import { emptyKernels } from '../../bench/measure/without-kernels.ts';
import { networks } from '../../bench/networks/index.ts';
import { toy } from '../../bench/networks/toy.ts';
import simdBytes from '../../dist/wasm/simd.wasm';
import { compile, type Device, manualSeed, scope } from '../../engine/index.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { tiny } from './tiny.ts';

const devices = testedOn('host', 'reference', 'wasm', 'webgpu');

const CALLS = 5;
const trained = [...networks.filter(({ isStep }) => isStep), toy];
/** One of each kind: those of a paper have the same operations. */
const kinds = [...new Map(trained.map((network) => [network.benchmark, network])).values()];
/** The others take too long on loops and on software adapters. */
const quick = toy.name;

async function losses(device: Device, network: (typeof trained)[number], compiles: boolean): Promise<number[]> {
  manualSeed(0);
  const step = network.build(device, { ...network.sizes.small[0]!, ...tiny[network.benchmark] });
  const compiled = compile(() => step.step());
  const run = compiles ? compiled : () => step.step();
  const values: number[] = [];
  for (let call = 0; call < CALLS; call++) {
    using _made = scope();
    values.push(await (await run()).item());
  }
  compiled.dispose();
  step.dispose();
  return values;
}

t.test('losses', async (t) => {
  await onEach(t, devices, async (t, device, name) => {
    for (const network of kinds.filter((each) => name === 'wasm' || each.name === quick)) {
      const expected = await losses(device, network, false);
      t.same(await losses(device, network, true), expected, network.name);
    }
  });
});

if (devices.has('host')) {
  t.test('what is printed of a program', async (t) => {
    for (const { name } of trained) {
      const { launches, calls, skipped, memory } = await programOf(name, 'meta', 'small');
      t.ok(
        launches.length > 50 && launches.every(({ plan, bytes }) => plan === 'meta' && bytes > 0),
        `${name}: launches`,
      );
      t.equal(skipped, calls, `${name}: nothing has to run again`);
      const { planned, lowerBound, pool } = memory;
      t.ok(
        lowerBound <= planned && planned <= 1.25 * lowerBound,
        `${name}: ${planned / lowerBound} times the lower bound`,
      );
      t.ok(planned < pool, `${name}: ${planned / pool} of the pool`);
    }
    await t.rejects(programOf('tiy', 'meta', 'small'), { message: /no network 'tiy'/ });
  });

  t.test('kernels that do nothing have the names of the real ones', async (t) => {
    const module = await WebAssembly.compile(simdBytes);
    const names = WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'function');
    const empty = await WebAssembly.compile(emptyKernels(module));
    t.same(WebAssembly.Module.exports(empty), names);
  });
}
