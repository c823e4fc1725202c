// Parameters by name: the struct of every WGSL module and the class of every AssemblyScript module are the bytes that the
// declared fields say, and no kernel reads them by position.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import * as kernels from '../../kernels/index.ts';
import { ladders } from '../../kernels/ladders.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { filesBelow } from '../experiments/command.ts';
import { repositoryRoot } from '../shared-data.ts';
import { caseSources } from './generators/index.ts';
import { assemblyClasses, wgslParams } from './wgsl-params.ts';
import { hardware } from './webgpu-facts.ts';

const folder = path.join(repositoryRoot(), 'kernels');
const sources = (await filesBelow(folder)).map((file) => ({
  file: `kernels/${file}`,
  text: readFileSync(path.join(folder, file), 'utf8'),
}));

const adapters = [
  hardware,
  { ...hardware, subgroupMinSize: 8, software: true },
  { ...hardware, subgroups: false, subgroupMinSize: 0 },
];

/** Fills take their value as bits: those of any type, and a shader may not keep those of a NaN. */
const fillFields = { n: 'u32', bits: 'u32' };

/** Every kernel of the library with the modules of all of its plans and rungs. */
function modulesByKernel(): Map<string, { fields: object; modules: Set<string> }> {
  const found = new Map<string, { fields: object; modules: Set<string> }>();
  for (const kernel of Object.values(kernels)) {
    if (typeof kernel !== 'object' || !('fields' in kernel && 'flops' in kernel)) continue;
    const { name } = kernel;
    const source = caseSources.find((each) => each.kernel === name)!;
    const rungs = ladders.filter((ladder) => ladder.kernel.name === name).flatMap(({ webgpu }) => webgpu);
    const modules = new Set<string>();
    for (const params of [...source.exampleParams, ...fc.sample(source.params, { seed: 3, numRuns: 100 })] as never[]) {
      for (const facts of adapters) {
        const named = [undefined, ...webGpuPlans.variants(kernel)].map((prefer) =>
          webGpuPlans.get(kernel)(params, facts, prefer),
        );
        const plans = [...named, ...rungs.map((rung) => rung.plan(params, facts))];
        for (const plan of plans) for (const { module } of plan?.passes ?? []) modules.add(module);
      }
    }
    found.set(name, { fields: name.startsWith('fill') ? fillFields : kernel.fields, modules });
  }
  return found;
}

t.test('the struct of every WGSL module is what its kernel declares', (t) => {
  const structs = sources.filter(({ file, text }) => file.endsWith('.wgsl') && wgslParams(text));
  const used = new Set<string>();
  for (const [name, { fields, modules }] of modulesByKernel()) {
    for (const module of modules) {
      const declaring = structs.filter(({ text }) => module.includes(text));
      t.equal(declaring.length, wgslParams(module) ? 1 : 0, `a module of ${name} takes its struct from one file`);
      for (const { file, text } of declaring) {
        if (!used.has(`${name} ${file}`))
          t.same(wgslParams(text), Object.entries(fields), `${file}, as ${name} packs it`);
        used.add(`${name} ${file}`).add(file);
      }
    }
  }
  for (const { file } of structs) t.ok(used.has(file), `${file} is part of a plan or a rung`);
  t.end();
});

t.test('the class of every AssemblyScript kernel is what its kernel packs', (t) => {
  const files = sources.filter(({ file }) => file.endsWith('/params.as.ts'));
  const declared = new Map(Object.entries(kernels).filter(([name]) => /^[A-Z]\w*Params$/.test(name)));
  const seen = new Set<string>();
  for (const { file, text } of files) {
    for (const [name, { fields, words }] of assemblyClasses(text)) {
      const expected = declared.get(name) as kernels.Fields | undefined;
      if (!expected) continue; // what a planner works out: packed and read from the same declaration
      seen.add(name);
      const kernel = Object.values(kernels).find(
        (value): value is kernels.Kernel<never> =>
          typeof value === 'object' && 'fields' in value && value.fields === expected,
      );
      if (kernel) t.equal(words, kernels.paramWords(kernel), `${file}: ${name} ends where its block does`);
      // Every word gives its own number, so that what a field reads says where it stands.
      let word = 0;
      const values = Object.fromEntries(
        Object.entries(expected).map(([field, type]) => {
          const from = word;
          const length = kernels.fieldWords(type);
          word += length;
          return [field, kernels.isArrayField(type) ? Array.from({ length }, (_, i) => from + i) : from];
        }),
      );
      const packed = kernels.packParams({ name, fields: expected }, values);
      const floats = new Float32Array(packed.buffer);
      for (const [field, type] of Object.entries(expected)) {
        const found = fields.find((each) => each.name === field);
        const wanted = kernels.isArrayField(type) ? 'address' : type === 'f32' ? 'f32' : 'i32';
        t.equal(found?.type, wanted, `${file}: ${name}.${field}`);
        const read = (type === 'f32' ? floats : packed)[found?.word ?? -1];
        t.same(read, [values[field]].flat()[0], `${file}: ${name}.${field} is where it is packed`);
      }
    }
  }
  t.same([...seen].sort(), [...declared.keys()].sort(), 'every declaration has its class');
  t.end();
});

t.test('no AssemblyScript kernel reads a parameter by its position', (t) => {
  const modules = sources.filter(({ file }) => file.endsWith('.as.ts'));
  t.ok(modules.length > 40);
  for (const { file, text } of modules) {
    t.equal(/\bload(?:<\w+>|\d*_\w+)\(\s*params\b(?!\.)|\bparams \+/.exec(text)?.[0], undefined, file);
  }
  t.end();
});

t.test('what a planner has worked out is read through the class of its declaration', (t) => {
  let blocks = 0;
  for (const { file, text } of sources.filter((each) => each.file.endsWith('.as.ts'))) {
    const generated = sources.find((each) => each.file === `${path.dirname(file)}/params.as.ts`);
    const classes = assemblyClasses(generated?.text ?? '');
    for (const [, name] of text.matchAll(/changetype<(\w+)>\(behind\(/g)) {
      t.ok(classes.has(name), `${file}: ${name}`);
      blocks++;
    }
  }
  t.ok(blocks > 10);
  t.end();
});

t.test('the type of the parameters follows from the fields', (t) => {
  const kernel = kernels.defineKernel({
    name: 'typed',
    fields: { shape: 'u32x8', n: 'u32', op: kernels.code<kernels.Unary>(), slope: 'f32' },
    inputs: ({ n, shape }) => [kernels.float('x', n, shape.length)],
    outputs: () => [],
    flops: ({ n, slope }) => n * slope,
  });
  const params = { shape: [2, 3], n: 6, op: kernels.Unary.exp, slope: 0.5 };
  t.equal(kernel.flops(params), 3);
  t.same(kernel.inputs(params)[0]?.shape, [6, 2]);
  // @ts-expect-error: the slope is missing
  t.ok(Number.isNaN(kernel.flops({ shape: [2, 3], n: 6, op: kernels.Unary.exp })));
  t.throws(() => kernels.packParams(kernel, { n: 2, shape: [2] }), /parameter 'op' is missing/);
  const misplaced = { n: 'u32', shape: 'u32x8' } as const;
  t.throws(
    () =>
      kernels.defineKernel({ name: 'late', fields: misplaced, inputs: () => [], outputs: () => [], flops: () => 0 }),
    /'shape' must come before the scalars/,
  );
  t.end();
});
