// Ladders as data, and every rung of every ladder against `reference`: those in AssemblyScript with and without relaxed SIMD, and the
// shaders, the plans of the library among them.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { ladderModules } from '../../bench/ladder/module.ts';
import type { Device } from '../../engine/devices/device.ts';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import type { Kernel, ParamValues } from '../../kernels/kernel.ts';
import { kernelOfRung, type Ladder, openingSentence, type WasmRung, type WebGpuRung } from '../../kernels/ladder.ts';
import { ladders } from '../../kernels/ladders.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { wasmPlans } from '../../kernels/wasm.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';
import { checkAgreement } from './compare.ts';
import { caseSources } from './generators/index.ts';

t.setTimeout(540_000);

const parts = testedOn('host', 'wasm', 'webgpu');

/** Elements of the longest operand that a software adapter takes in a second or so. */
const MOST_ELEMENTS = 110_000;

/** Ancestors add up in one chain, whose rounding errors grow faster than those of blocks. */
const SLACK = 3;

/** Examples, all or the first of them, and random cases of the ladder's kernel that a rung takes. */
async function checkRung(
  t: Test,
  ladder: Ladder<never>,
  rung: WebGpuRung<never> | WasmRung<never>,
  takes: (params: ParamValues) => boolean,
  device: Device,
  runs: number,
  mostExamples = Infinity,
): Promise<void> {
  await t.test(`${ladder.name}: ${rung.name}`, async (t) => {
    const reference = createReferenceDevice();
    const source = caseSources.find(({ kernel }) => kernel === ladder.kernel.name);
    if (!source) throw new Error(`${ladder.kernel.name} has no generator`);
    const kernel = kernelOfRung(ladder, rung) as unknown as Kernel;
    const isSmall = (params: ParamValues): boolean =>
      [...kernel.inputs(params), ...kernel.outputs(params)].every(
        ({ shape }) => shape.reduce((a, b) => a * b, 1) <= MOST_ELEMENTS,
      );
    const { examples: all, cases } = source.on(kernel, (params) => isSmall(params) && takes(params), SLACK);
    const examples = all.slice(0, mostExamples);
    for (const example of examples) await checkAgreement(example, device, reference);
    const agreement = fc.asyncProperty(cases, (tested) => checkAgreement(tested, device, reference));
    await fc.assert(agreement, { seed: 25, numRuns: runs, includeErrorInReport: true });
    t.ok(examples.length > 0, `${examples.length} examples and ${runs} random cases`);
    reference.dispose();
  });
}

if (parts.has('host')) {
  t.test('every rung says what changed, and ancestors are no plans of the library', async (t) => {
    t.equal(new Set(ladders.map(({ name }) => name)).size, ladders.length);
    for (const { name, kernel, webgpu, wasm } of ladders) {
      t.ok(webgpu.length >= 4, `${name} has ${webgpu.length} steps`);
      for (const rungs of [webgpu, wasm]) {
        t.equal(new Set(rungs.map((rung) => rung.name)).size, rungs.length, name);
        for (const { description } of rungs) t.match(description, /^[A-Z].{20,}\.$/);
        const starts = rungs.filter(({ description }) => description.startsWith('Start: '));
        t.ok(rungs.length === 0 || starts.length <= 1, name);
      }
      t.ok(
        webgpu.some((rung) => webGpuPlans.variants(kernel).includes(rung.name)),
        `${name} reaches the library`,
      );
      for (const { plan, name: rung } of wasm) t.ok(plan === undefined || !wasmPlans.variants(kernel).includes(rung));
    }
    t.equal(openingSentence('// One\n// line. Two.\nfn f() {}\n// Three.'), 'One line.');
  });

  t.test('the library imports no ladder', async (t) => {
    const root = fileURLToPath(import.meta.url.replace(/\/dist\/.*$/, '/'));
    const sources = ['kernels', 'engine', 'models', 'experiments'].flatMap((folder) =>
      readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !/(^|\/)(ladders?\.ts$|ladder\/)/.test(file))
        .map((file) => `${folder}/${file}`),
    );
    t.ok(sources.includes('kernels/ssim/plans.webgpu.ts') && sources.includes('engine/index.ts'));
    const importing = sources.filter((file) => /from '[^']*\/ladders?[./]/.test(readFileSync(root + file, 'utf8')));
    t.same(importing, []);
  });
}

for (const relaxedSimd of parts.has('wasm') ? [false, true] : []) {
  const device = await createWasmDevice({ relaxedSimd, modules: ladderModules });
  t.equal(device.facts.threads, 1);
  for (const ladder of ladders) {
    for (const rung of ladder.wasm.filter(({ plan }) => plan)) {
      await checkRung(t, ladder, rung, (params) => rung.fits(params as never), device, 100);
    }
  }
  device.dispose();
}

if (parts.has('webgpu')) {
  await withWebGpu(t, async (device) => {
    // An adapter without eight lanes (SwiftShader) is very slow with barriers.
    const runs = hasEightLanes(device.planFacts) ? 5 : 2;
    for (const ladder of ladders) {
      const plans = webGpuPlans.variants(ladder.kernel);
      for (const rung of ladder.webgpu) {
        // With every example in test/devices; here it is enough that the rung leads there.
        const isPlan = plans.includes(rung.name);
        const takes = (params: object): boolean => rung.plan(params as never, device.planFacts) !== undefined;
        const fitsAny = hasEightLanes(device.planFacts) || !/lanes|rows3x3/.test(rung.name);
        if (fitsAny) await checkRung(t, ladder, rung, takes, device, isPlan ? 2 : runs, isPlan ? 2 : 8);
        else t.pass(`${ladder.name}: ${rung.name}`, { skip: 'needs subgroups of eight' });
      }
    }
  });
}
