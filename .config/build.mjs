// The build: AssemblyScript kernels to dist/wasm, everything else bundled by esbuild to dist.
//
//   node .config/build.mjs                      everything
//   node .config/build.mjs --if-stale --quiet   only if a source changed since the last full build
//   node .config/build.mjs test/a.test.ts       the kernels and these entry points alone
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { revision } from './provenance.mjs';
import { isStale, root, sourceFiles, sourceStamp, stampFile, withLock } from './sources.mjs';

const entryPoints = [
  'engine/index.ts',
  'engine/io/weights/index.ts',
  'engine/io/onnx/index.ts',
  'engine/data/index.ts',
  'engine/devices/interpreter/index.ts',
  'models/index.ts',
  'experiments/index.ts',
  'experiments/cli/main.ts',
  'experiments/runner/worker.ts',
  'bench/main.ts',
  'bench/contestants/one-step.ts',
];
const commandLine = path.join(root, 'dist/experiments/cli/main.js');
const dayMs = 24 * 3600 * 1000;

/** Builds; with `ifStale` only when needed. Throws an error whose message is all that needs to be said. */
export async function build({ ifStale = false, quiet = false, only = [] } = {}) {
  const commit = revision();
  if (ifStale && !isStale(commit)) return;
  await mkdir(path.join(root, 'dist'), { recursive: true });
  await withLock(async () => {
    if (ifStale && !isStale(commit)) return; // another process has just built it
    const started = performance.now();
    const stamp = sourceStamp(commit);
    const { buildWasm } = await import('./wasm.mjs');
    const { bundleNode, bundleBrowser } = await import('./bundle.mjs');
    await buildWasm({ quiet });
    if (only.length > 0) {
      await bundleNode(only, { quiet });
    } else {
      const tests = sourceFiles(['test', 'bench']).filter((file) => file.endsWith('.test.ts'));
      const written = [
        ...(await bundleNode(entryPoints, { quiet })),
        // Apart from the library, so that the package holds no code of tests.
        ...(await bundleNode(tests, { quiet, chunks: 'test/chunks' })),
        ...(await bundleBrowser({ quiet })),
      ];
      await prune(new Set(written));
      await writeFile(stampFile, stamp);
    }
    if (existsSync(commandLine)) await chmod(commandLine, 0o755);
    if (!quiet) console.log(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  });
}

/** Removes what an earlier build wrote and this one did not. Chunks stay for a day: a run under way may still load them. */
async function prune(written) {
  const dist = path.join(root, 'dist');
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.js(\.map)?$/.test(entry.name)) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (written.has(file) || file.startsWith(path.join(dist, 'book', path.sep))) continue; // the book is not the build's
    const isChunk = path.basename(path.dirname(file)) === 'chunks';
    if (!isChunk || Date.now() - (await stat(file)).mtimeMs > dayMs) await rm(file, { force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = process.argv.slice(2);
  try {
    await build({
      ifStale: args.includes('--if-stale'),
      quiet: args.includes('--quiet'),
      only: args.filter((arg) => !arg.startsWith('--')),
    });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
