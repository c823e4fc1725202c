// What a user loads before anything has been computed: how long `import 'wgrad'` takes, how large the file for browsers is, and
// that packages for plots, pictures and foreign files wait until they are needed.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import type * as Wgrad from '../../engine/index.ts';
import { repositoryRoot } from '../shared-data.ts';

const dist = path.join(repositoryRoot(), 'dist');

/** Packages that a program loads when it starts, not by `import()`. */
async function loadedAtStart(entry: string): Promise<string[]> {
  const packages = new Set<string>();
  const files = [path.join(dist, entry)];
  for (const file of files) {
    const code = await readFile(file, 'utf8');
    for (const [, name] of code.matchAll(/^(?:import|export)\b(?:[^'"`;]*?\bfrom)? ?"([^"]+)";$/gm)) {
      const next = path.resolve(path.dirname(file), name!);
      if (!name!.startsWith('.')) packages.add(name!);
      else if (!files.includes(next)) files.push(next);
    }
  }
  return [...packages].filter((name) => !name.startsWith('node:')).sort();
}

t.test('packages load when they are used', async (t) => {
  const engine = ['fastest-levenshtein'];
  t.same(await loadedAtStart('engine/index.js'), engine);
  t.same(await loadedAtStart('models/index.js'), engine);
  t.same(await loadedAtStart('engine/io/weights/index.js'), engine);
  t.same(await loadedAtStart('engine/io/onnx/index.js'), ['@bufbuild/protobuf/wire', ...engine]);
  t.same(await loadedAtStart('engine/data/index.js'), engine);
  t.same(await loadedAtStart('engine/devices/interpreter/index.js'), []);
  const experiments = [...engine, 'ndarray', 'zod'];
  t.same(await loadedAtStart('experiments/index.js'), experiments);
  const commandLine = ['cli-progress', 'cli-table3', 'commander', ...experiments];
  t.same(await loadedAtStart('experiments/cli/main.js'), commandLine.sort());
});

const RUNS = 5;
const LIMIT_MS = 500; // about 60 on an idle machine

t.test("import 'wgrad'", async (t) => {
  const start = async (program: string): Promise<number> => {
    const started = performance.now();
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd: repositoryRoot() });
    return performance.now() - started;
  };
  // In turn, and the best of each: a busy machine only ever adds time.
  const [empty, wgrad]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    empty.push(await start(''));
    wgrad.push(await start("import 'wgrad'"));
  }
  const added = Math.min(...wgrad) - Math.min(...empty);
  t.ok(added < LIMIT_MS, `${added.toFixed(0)} ms more than an empty program`);
});

const kernels = /"AGFzbQ[A-Za-z0-9+/]*=*"/g; // modules of WebAssembly in base 64
/** Bytes of a file for browsers, compressed, beside the kernels in WebAssembly. */
const compressedSize = (code: string): number => gzipSync(code.replace(kernels, '""')).length;

t.test('the file for browsers', async (t) => {
  const code = await readFile(path.join(dist, 'browser/wgrad.js'), 'utf8');
  t.equal(code.match(kernels)?.length, 4);
  const whole = compressedSize(code);
  t.ok(whole < 170 * 1024, `${whole} bytes with the networks of all papers`);
  const bundle = pathToFileURL(path.join(repositoryRoot(), '.config/bundle.mjs')).href;
  const { browserCode } = (await import(bundle)) as { browserCode(...parts: string[]): Promise<string> };
  const engine = compressedSize(await browserCode('engine'));
  t.ok(engine < 150 * 1024, `${engine} bytes of the engine`);
  t.comment(`engine ${engine} bytes, with the networks ${whole}`);
  const weights = compressedSize(await readFile(path.join(dist, 'browser/weights.js'), 'utf8'));
  t.ok(weights < 16 * 1024, `${weights} bytes of the reader of weights`);
});

t.test('its classes keep their names, which errors and profiles print', async (t) => {
  const browser = (await import(pathToFileURL(path.join(dist, 'browser/wgrad.js')).href)) as typeof Wgrad;
  const entries = [...Object.entries(browser), ...Object.entries(browser.nn)] as [string, unknown][];
  const classes = entries.filter(([, value]) => typeof value === 'function' && /^class\b/.test(String(value)));
  t.ok(classes.length > 50);
  for (const [name, value] of classes) t.equal((value as () => void).name, name);
});
