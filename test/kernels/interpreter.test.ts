// The WGSL interpreter: its arithmetic against results known beforehand, the faults that it is there to
// find, planted one by one, and every plan and every rung of the ladders on a small shape, which have none of them.
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { createInterpreterDevice, type LaunchFinding } from '../../engine/devices/interpreter/device.ts';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import type { Device } from '../../engine/index.ts';
import { defineKernel, float, int, type Kernel, type ParamValues } from '../../kernels/kernel.ts';
import { kernelOfRung } from '../../kernels/ladder.ts';
import { ladders } from '../../kernels/ladders.ts';
import { Dispatcher, Program, ShaderError, showFinding } from '../../kernels/interpreter/index.ts';
import * as kernels from '../../kernels/index.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { testedOn } from '../tested-on.ts';
import type { CaseSource, KernelCase } from './cases.ts';
import { assertClose } from './compare.ts';
import { caseSources } from './generators/index.ts';
import { faults, kindsOf, runShader } from './interpreter/faults.ts';
import { language, WORDS } from './interpreter/language.ts';

t.setTimeout(540_000);

const parts = testedOn('host');

/** A kernel without inputs whose plan is one shader of one workgroup. */
const languageKernel = defineKernel({
  name: 'language',
  fields: { unused: 'u32' },
  inputs: () => [],
  outputs: () => [int('words', WORDS)],
  flops: () => 0,
  plans: { webgpu: () => ({ name: 'language', passes: [{ module: language.text, workgroups: [1, 1, 1] }] }) },
});

async function wordsOn(device: Device): Promise<number[]> {
  const words = device.allocate(WORDS, 'int32');
  device.write(words, new Array<number>(WORDS).fill(0));
  device.launch(languageKernel, [], [words], { unused: 0 });
  const values = [...(await device.read(words))];
  device.release(words);
  return values;
}

/** Of all operands together. */
const WANTED_ELEMENTS = 150;

const byName = new Map(
  Object.values(kernels).flatMap((each) => ((each as Kernel).fields ? [[(each as Kernel).name, each as Kernel]] : [])),
);

/** Elements of all operands; Infinity where there is nothing to do. */
function sizeOfCase(kernel: Kernel, params: ParamValues): number {
  const operands = [...kernel.inputs(params), ...kernel.outputs(params)];
  const sizes = operands.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  return operands.length === 0 || sizes.includes(0) ? Infinity : sizes.reduce((a, b) => a + b, 0);
}

/** A case that a plan takes: the one whose size is nearest to what is cheap and still has many invocations at work. */
function chosen(
  kernel: Kernel,
  cases: readonly KernelCase[],
  takes: (params: ParamValues) => boolean,
): KernelCase | undefined {
  const far = (each: KernelCase): number => Math.abs(Math.log(sizeOfCase(kernel, each.params) / WANTED_ELEMENTS));
  const sized = cases.map((each) => ({ each, far: far(each) })).filter((each) => each.far < Infinity);
  return sized.sort((a, b) => a.far - b.far).find(({ each }) => takes(each.params))?.each;
}

/** The examples of a kernel, and random cases. */
const casesOf = ({ examples, cases }: Pick<CaseSource, 'examples' | 'cases'>): KernelCase[] => [
  ...examples,
  ...fc.sample(cases, { seed: 7, numRuns: 900 }),
];

async function testPlans(t: Test): Promise<void> {
  const reference = createReferenceDevice();
  const findings: LaunchFinding[] = [];
  let wanted: string | undefined;
  const device = createInterpreterDevice({ onFinding: (finding) => findings.push(finding), preferPlan: () => wanted });
  const check = async (example: KernelCase, name: string): Promise<void> => {
    const actual = await example.run(device);
    t.equal(actual.plan, name.split('.')[1], name);
    assertClose(example, actual, await example.run(reference));
  };
  const untested: string[] = [];
  for (const source of caseSources) {
    const { kernel: name } = source;
    const kernel = byName.get(name)!;
    const cases = casesOf(source);
    for (const variant of webGpuPlans.variants({ name })) {
      wanted = variant;
      const plan = webGpuPlans.get({ name });
      const takes = (params: ParamValues) => plan(params as never, device.planFacts, variant).name === variant;
      const example = chosen(kernel, cases, takes);
      if (example) await check(example, `${name}.${variant}`);
      else untested.push(`${name}.${variant}`);
    }
  }
  wanted = undefined;
  for (const ladder of ladders) {
    const source = caseSources.find(({ kernel }) => kernel === ladder.kernel.name)!;
    for (const rung of ladder.webgpu) {
      if (webGpuPlans.variants(ladder.kernel).includes(rung.name)) continue;
      const kernel = kernelOfRung(ladder, rung) as unknown as Kernel;
      const takes = (params: ParamValues) => rung.plan(params as never, device.planFacts) !== undefined;
      const example = chosen(kernel, casesOf(source.on(kernel, takes, 3)), takes);
      if (example) await check(example, `${ladder.name}.${rung.name}`);
      else untested.push(`${ladder.name}.${rung.name}`);
    }
  }
  t.same(untested, [], 'every plan has a small example');
  const faulty = findings.filter(({ kind }) => kind !== 'overread');
  t.same(
    faulty.map((finding) => `${finding.kernel}: ${showFinding(finding, finding.module)}`),
    [],
    'no faults',
  );
  t.equal(device.statistics().liveBuffers, 0);
}

if (parts.has('host')) {
  t.test('arithmetic, types and statements', async (t) => {
    const words = await wordsOn(createInterpreterDevice());
    for (const [i, { what, word }] of language.expected.entries()) t.equal(words[i], word | 0, what);
  });

  t.test('planted faults', (t) => {
    for (const { name, text, kinds, lines, grid, invocations } of faults) {
      const findings = runShader(text, grid);
      t.same(kindsOf(findings), kinds, name);
      const [finding] = findings;
      if (!finding) continue;
      const source = text.split('\n');
      if (lines) {
        const at = [finding.line, finding.otherLine].map((line) =>
          line === undefined ? '' : source[line - 1]!.trim(),
        );
        t.same(at.slice(0, lines.length), lines, `${name}: lines`);
      }
      if (invocations) t.same([finding.invocation, finding.other], invocations, `${name}: invocations`);
      t.match(showFinding(finding, text), /invocation \(\d+, 0, 0\) of workgroup \(\d+, 0, 0\)\n {4}\d+ \| /);
    }
    t.end();
  });

  t.test('a device without a listener refuses a launch that races', async (t) => {
    const device = createInterpreterDevice();
    const text = faults.find(({ name }) => name === 'a sum without a barrier')!.text;
    const racing = defineKernel({
      name: 'racing',
      fields: { unused: 'u32' },
      inputs: () => [],
      outputs: () => [float('out', 16)],
      flops: () => 0,
      plans: { webgpu: () => ({ name: 'only', passes: [{ module: text, workgroups: [1, 1, 1] }] }) },
    });
    const out = device.allocate(16, 'float32');
    const launch = () => device.launch(racing, [], [out], { unused: 0 });
    t.throws(launch, { name: 'DeviceError', message: /racing\.only, pass 0: data race on 'lanes'/ });
  });

  t.test('text that is not of the part of WGSL that is known is refused with its line', (t) => {
    const main = (body: string) =>
      `@group(0) @binding(1) var<storage, read_write> out: array<f32>;\n@compute @workgroup_size(1)\nfn main() {\n${body}\n}`;
    const refused: [string, RegExp][] = [
      [main('out[0] = 1.0h;'), /line 4, column 10: f16/],
      [main('out[0] = 1u;'), /line 4, column \d+: expected f32, found u32/],
      [main('out[0] = sinus(1.0);'), /line 4, column 10: there is no function 'sinus'/],
      [main('let v = vec2(1.0, 2.0) + vec3(1.0);'), /line 4, column 24: vec2<abstract-float> \+ vec3<abstract-float>/],
      [main('out[0] = x;'), /line 4, column 10: there is no variable or constant 'x'/],
      [main('out[0] = 1.0'), /line 5, column 1: expected ';', found '}'/],
      [main('var a: array<f32, 4>; out[0] = a[4];'), /index 4 of array<f32, 4>/],
      [`fn f() -> f32 { return f(); }\n${main('out[0] = f();')}`, /line 1, column 1: 'f' calls itself/],
    ];
    for (const [text, expected] of refused) {
      t.throws(() => new Program(text), { name: 'ShaderError', message: expected });
    }
    t.throws(
      () => new Program(main('out[0] = 1.0;'), { entryPoint: 'other' }),
      /no compute entry point 'other', but main/,
    );
    t.throws(() => new Program(main(''), { constants: { n: 1 } }), /no override 'n'/);
    t.end();
  });

  t.test('an invocation is stepped through', (t) => {
    const text = [
      '@group(0) @binding(1) var<storage, read_write> out: array<f32>;',
      'struct Pair { first: u32, rest: vec2<f32> }',
      '@compute @workgroup_size(4)',
      'fn main(@builtin(local_invocation_index) lane: u32) {',
      '  var pair = Pair(lane, vec2(0.5, 1.0));',
      '  var sum = 0.0;',
      '  for (var i = 0u; i < lane; i++) {',
      '    sum += f32(i) + pair.rest.x;',
      '  }',
      '  out[lane] = sum;',
      '}',
    ].join('\n');
    const program = new Program(text, { isStepped: true });
    const steps: [number, boolean, unknown][] = [];
    const accesses: unknown[] = [];
    new Dispatcher(program).dispatch([1, 1, 1], new Map([[1, { bytes: new ArrayBuffer(16) }]]), {
      watcher: {
        workgroup: [0, 0, 0],
        local: [2, 0, 0],
        step: ({ site, adds, variables }) => {
          const sum = variables().find(([name]) => name === 'sum')?.[2];
          steps.push([program.sites[site]!.line, adds, sum]);
        },
        access: (access) => accesses.push(access),
      },
    });
    t.same(
      steps.map(([line]) => line),
      [5, 6, 7, 7, 8, 7, 8, 7, 10],
    );
    t.same(steps.filter(([, adds]) => adds), [[8, true, 0], [8, true, 0.5]]); // prettier-ignore
    t.same(steps.at(-1), [10, false, 2]);
    t.same(accesses, [{ memory: 'out', word: 2, value: 2, isWrite: true }]);
    t.end();
  });

  t.test('a loop without end is told', (t) => {
    const text = '@compute @workgroup_size(1)\nfn main() {\n  loop { }\n}';
    t.throws(() => runShader(text, [1, 1, 1]), ShaderError);
    t.end();
  });

  t.test('every plan and every rung on a small shape', testPlans);
}
