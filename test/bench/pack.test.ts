// The folder for a bare GPU machine: packed here, within its limit, and started from there with both C libraries.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

interface Packer {
  pack(out: string, options?: { golden?: string }): Promise<number>;
  whyNot(): string | undefined;
}

// A script of the build, which the tests' bundle must not swallow: its paths are its own.
const root = fileURLToPath(import.meta.url.replace(/\/dist\/.*$/, '/'));
const script = pathToFileURL(path.join(root, '.config/pack.mjs')).href;
const { pack, whyNot } = (await import(script)) as Packer;
const run = promisify(execFile);

t.setTimeout(300_000);

t.test('pack', { skip: whyNot() ?? false }, async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wgrad-pack-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const out = path.join(folder, 'pack');

  await t.rejects(pack(out, { golden: folder }), { message: /no folder of fixtures/ });
  const bytes = await pack(out);
  t.ok(bytes < 60e6, `${(bytes / 1e6).toFixed(1)} MB`);
  await t.rejects(pack(out), { message: /is not empty/ });

  const sh = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('/bin/sh', [path.join(out, 'run.sh'), ...args], { cwd: folder });
    return stdout;
  };
  t.match(await sh('--help'), /--own-libraries/);
  t.match(await sh('--list'), /^wgrad doctor --json\nwgrad bench kernel/);
  for (const libraries of [[], ['--own-libraries']]) {
    const report = JSON.parse(await sh(...libraries, 'doctor', '--json')) as {
      node: string;
      devices: { device: string; works: boolean; problem?: string }[];
    };
    t.equal(report.node, process.versions.node);
    const [webgpu, wasm, reference] = report.devices;
    t.ok(wasm!.works && reference!.works, 'wasm and the reference work');
    // Dawn starts wherever it was packed; whether there is an adapter is up to the machine.
    t.ok(webgpu!.works || /no WebGPU adapter/.test(webgpu!.problem ?? ''), webgpu!.problem ?? 'webgpu works');
  }
  const listed = await sh('bench', 'ladder');
  t.match(listed, /^conv2d/m);

  await writeFile(path.join(folder, 'notes.txt'), '');
  await t.rejects(pack(folder), { message: /is not empty/ });
});
