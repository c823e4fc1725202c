// Ladders as data, and every rung of a WASM ladder against `reference`, with and without relaxed SIMD.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { ladderModules } from '../../bench/ladder/module.ts';
import { openingSentence } from '../../kernels/ladder.ts';
import { ladders } from '../../kernels/ladders.ts';
import { wasmPlans } from '../../kernels/wasm.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { checkRung } from './ladders.ts';

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

for (const relaxedSimd of [false, true]) {
  const device = await createWasmDevice({ relaxedSimd, modules: ladderModules });
  t.equal(device.facts.threads, 1);
  for (const ladder of ladders) {
    for (const rung of ladder.wasm.filter(({ plan }) => plan)) {
      await checkRung(t, ladder, rung, (params) => rung.fits(params as never), device, 100);
    }
  }
  device.dispose();
}
