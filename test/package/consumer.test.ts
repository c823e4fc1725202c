// The package as others get it: packed, unpacked beside a strict TypeScript project that imports each of its entry points,
// type-checked under every module resolution that finds them, run, and looked at by a tool that finds wrong types.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import t from 'tap';
import { dependencies, exports } from '../../package.json';

const root = fileURLToPath(import.meta.url.replace(/\/dist\/.*$/, '/'));
const run = promisify(execFile);

t.setTimeout(300_000);

/** What a user writes: a network of their own, its training, and one thing of every entry point. */
const program = `
import { Adam, createDevice, crossEntropy, manualSeed, nn, scope, setDefaultDevice, tensor, type Tensor } from 'wgrad';
import { UNet } from 'wgrad/models';
import { loadWeights, type LoadWeightsReport } from 'wgrad/weights';
import { exportOnnx, importOnnx, type OnnxModule } from 'wgrad/onnx';
import { DataLoader, type Dataset } from 'wgrad/data';
import { createInterpreterDevice, type LaunchFinding } from 'wgrad/interpreter';
import { papers, type Paper } from 'wgrad/experiments';
import type { Tensor as BrowserTensor } from 'wgrad/browser';

class Classifier extends nn.Module {
  readonly hidden = new nn.Linear(2, 16);
  readonly output = new nn.Linear(16, 2);
  forward(x: Tensor): Tensor {
    return this.output.forward(this.hidden.forward(x).relu());
  }
}

setDefaultDevice(await createDevice('wasm'));
manualSeed(1);
const model = new Classifier();
const optimizer = new Adam(model.parameters(), { lr: 0.05 });
const losses: number[] = [];
for (let step = 0; step < 60; step++) {
  using _step = scope();
  const x: BrowserTensor = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
  const loss = crossEntropy(model.forward(x), tensor(Int32Array.of(0, 1, 1, 0)));
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  losses.push(await loss.item());
}
// @ts-expect-error The shape is a list of numbers.
const refused = () => tensor([1, 2], '2');
const load = (file: Blob): Promise<LoadWeightsReport> => loadWeights(model, file, { map: { 'module.': '' }, strict: false });
const { model: file } = await exportOnnx(model, [[1, 2]], { dynamicBatch: true });
const back: OnnxModule = await importOnnx(file);
const squares: Dataset<{ x: number; label: bigint }> = { length: 3, get: (i) => ({ x: i * i, label: BigInt(i) }) };
const seen: string[] = [];
for await (const { x, label } of new DataLoader(squares, { batchSize: 2 })) {
  const both: Tensor[] = [x, label];
  seen.push(both.map(({ shape, dtype }) => dtype + shape).join());
}
const [first]: readonly Paper[] = papers;
const found: LaunchFinding[] = [];
const interpreter = createInterpreterDevice({ onFinding: (finding) => found.push(finding) });
const sum = await tensor([1.5, 2], [2], { device: interpreter }).add(tensor([2.5, 4], [2], { device: interpreter })).array();
console.log(JSON.stringify([losses[0], losses.at(-1), typeof UNet, typeof refused, typeof load, first?.name, String(back.parameterCount()), [...sum], seen]));
`;

const options = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  types: [],
  rootDir: '.',
  outDir: 'out',
};

t.test('a strict project', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wgrad-consumer-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const packed = await run('npm', ['pack', '--pack-destination', folder, '--silent'], { cwd: root });
  const tarball = path.join(folder, packed.stdout.trim().split('\n').at(-1)!);
  const installed = path.join(folder, 'node_modules/wgrad');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
  for (const name of Object.keys(dependencies)) {
    const link = path.join(folder, 'node_modules', name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(root, 'node_modules', name), link);
  }
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  await writeFile(path.join(folder, 'main.ts'), program);

  const resolutions = [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const;
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  for (const [module, moduleResolution] of resolutions) {
    const config = { compilerOptions: { ...options, module, moduleResolution }, files: ['main.ts'] };
    await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
    const said = await run(process.execPath, [tsc, '-p', folder]).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    t.equal(said, '', `types under ${moduleResolution}`);
  }

  const { stdout } = await run(process.execPath, [path.join(folder, 'out/main.js')]);
  const [first, last, model, refused, load, paper, imported, sum, seen] = JSON.parse(stdout) as [
    number,
    number,
    ...string[],
  ];
  t.ok(last < first / 4, `the loss falls from ${first} to ${last}`);
  t.same([model, refused, load], ['function', 'function', 'function']);
  t.type(paper, 'string');
  t.equal(imported, '82', 'parameters of the network that went to ONNX and back');
  t.same(sum, [4, 6], 'the interpreter adds');
  t.same(seen, ['float322,int322', 'float321,int321'], 'batches of two and one');

  const analysis = await checkPackage(createPackageFromTarballData(await readFile(tarball)));
  if (!analysis.types) throw new Error('the package has no types');
  // This package is of ES modules alone, behind `exports`: the resolution of Node 10, which knows neither, finds nothing, and
  // require() from CommonJS is Node's own affair.
  const faults = analysis.problems.filter((problem) => {
    const resolution = 'resolutionKind' in problem ? problem.resolutionKind : undefined;
    const option = 'resolutionOption' in problem ? problem.resolutionOption : undefined;
    return resolution !== 'node10' && option !== 'node10' && problem.kind !== 'CJSResolvesToESM';
  });
  t.same(faults, [], 'no wrong types');
  t.same(Object.keys(analysis.entrypoints).sort(), Object.keys(exports).sort(), 'all entry points were looked at');

  const files = await readdir(installed, { recursive: true });
  t.notOk(
    files.find((file) => /(^|\/)test\/|\.test\.|node_modules\/./.test(file)),
    'no tests in the package',
  );
  for (const file of ['README.md', 'LICENSE', 'dist/types/engine/index.d.ts', 'engine/tape.ts'])
    t.ok(files.includes(file), file);
  const map = JSON.parse(await readFile(path.join(installed, 'dist/types/engine/tape.d.ts.map'), 'utf8')) as {
    sources: string[];
  };
  const source = path.relative(installed, path.resolve(installed, 'dist/types/engine', map.sources[0]!));
  t.equal(source, 'engine/tape.ts', 'a declaration leads to its source');
});
