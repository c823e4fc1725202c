// AssemblyScript to dist/wasm: every kernels/<family>/*.as.ts is an entry file, whatever it exports is exported.
// Not so kernels/shared/*.as.ts, which the entries share, and the classes of parameters, which params.mjs makes first.
// Four variants: with and without relaxed SIMD, with an own or a shared memory. The only import is env.memory.
// kernels/<family>/ladder/*.as.ts, which the library has no use for, become a module of their own for one thread.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { writeParamClasses } from './params.mjs';
import { contentStamp, readIfThere, root, sourceFiles } from './sources.mjs';

const common = [
  ...['--runtime', 'stub', '-O3', '--noAssert', '--use', 'abort=', '--memoryBase', '1024'],
  ...['--enable', 'simd', '--importMemory', '--initialMemory', '1'],
];
const relaxed = ['--enable', 'relaxed-simd'];
const shared = ['--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536'];
const libraryVariants = {
  simd: [],
  relaxed,
  'simd-shared': shared,
  'relaxed-shared': [...relaxed, ...shared],
};
const ladderVariants = { 'ladder-simd': [], 'ladder-relaxed': relaxed };

export async function buildWasm({ quiet = false } = {}) {
  const sources = sourceFiles(['kernels']).filter((file) => /\.as\.ts$|\/codes\.ts$/.test(file));
  const entries = sources.filter((file) => file.endsWith('.as.ts') && !file.startsWith('kernels/shared/'));
  if (entries.length === 0) return;
  const isRung = (file) => file.includes('/ladder/');
  const jobs = [
    { variants: libraryVariants, files: entries.filter((file) => !isRung(file)) },
    { variants: ladderVariants, files: entries.filter(isRung) },
  ].flatMap(({ variants, files }) => Object.entries(variants).map(([name, options]) => ({ name, options, files })));
  refuseCollisions(entries);
  const compiler = readFileSync(path.join(root, 'node_modules/assemblyscript/package.json'), 'utf8');
  const stamp = contentStamp([...sources, ...(await writeParamClasses()), '.config/wasm.mjs'], compiler);
  const folder = path.join(root, 'dist/wasm');
  const stampFile = path.join(folder, '.stamp');
  const isThere = jobs.every(({ name }) => existsSync(path.join(folder, `${name}.wasm`)));
  if (isThere && readIfThere(stampFile) === stamp) return;

  await mkdir(folder, { recursive: true });
  const waiting = [...jobs];
  const compileNext = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await compile(next);
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, compileNext));
  await writeFile(stampFile, stamp);
  if (!quiet) console.log(`compiled ${entries.length} WebAssembly kernel files to ${jobs.length} modules`);
}

function compile({ name, options, files }) {
  const asc = path.join(root, 'node_modules/assemblyscript/bin/asc.js');
  const args = [asc, ...files, ...common, ...options, '--outFile', `dist/wasm/${name}.wasm`];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    child.stderr.on('data', (text) => (said += text));
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`AssemblyScript, variant ${name}:\n${said}`));
    });
  });
}

/** Exports of all families share one module: the same name twice would silently hide one of them. */
function refuseCollisions(entries) {
  const madeBy = new Map();
  for (const file of entries) {
    const text = readFileSync(path.join(root, file), 'utf8');
    for (const [, name] of text.matchAll(/^export (?:function|const|let|class) (\w+)/gm)) {
      if (madeBy.has(name)) throw new Error(`${name} is exported by both ${madeBy.get(name)} and ${file}`);
      madeBy.set(name, file);
    }
  }
}
