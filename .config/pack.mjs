// Packs a folder that runs wgrad's benchmarks and golden fixtures on a Linux machine with a GPU driver and nothing installed:
// Node, Dawn, the Vulkan loader, the C library for machines whose own is missing or too old, wgrad with everything it imports,
// and run.sh (bench/pack), which chooses between the two ways to start it.
//
//   npm run --silent pack -- OUT [--golden DIR]      OUT must not be there yet, or be empty
//
// The folder is at most 60 MB: Node alone is more, so that the two largest files travel compressed and run.sh unpacks them on
// the machine (150 MB then).
//
// Tried in an empty root file system, which is a folder with this one as /pack, SwiftShader's one library and its
// vk_swiftshader_icd.json under /usr/share/vulkan/icd.d as the driver, and dash, since there is no shell:
//
//   unshare --mount sh -c 'mount --bind /dev ROOT/dev; mount -t proc proc ROOT/proc
//     exec chroot ROOT /pack/lib/own/ld-linux.so --library-path /pack/lib/own /dash /pack/run.sh golden /pack/golden --device webgpu'
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { pathToFileURL } from 'node:url';
import { constants, gzip } from 'node:zlib';
import { root } from './sources.mjs';

const LIMIT_MB = 60;
const program = (name) => ['/bin', '/usr/bin'].map((folder) => `${folder}/${name}`).find(existsSync);
const libraryFolders = ['/lib', '/usr/lib'].flatMap((folder) => [`${folder}/x86_64-linux-gnu`, `${folder}64`, folder]);
const library = (name) => libraryFolders.map((folder) => `${folder}/${name}`).find(existsSync);

class PackError extends Error {}

/** Libraries that these files need, by name, as the dynamic loader finds them. */
function needed(files) {
  const found = new Map();
  for (const file of files) {
    const text = execFileSync('ldd', [file], { encoding: 'utf8' });
    for (const [, name, place] of text.matchAll(/^\s*(\S+) => (\/\S+)/gm)) found.set(name, place);
    for (const [, place] of text.matchAll(/^\s*(\/\S*ld-linux\S*)/gm)) found.set('ld-linux.so', place);
  }
  return found;
}

async function copyLibraries(found, folder) {
  await mkdir(folder, { recursive: true });
  for (const [name, place] of found) {
    await copyFile(await realpath(place), path.join(folder, name));
    await chmod(path.join(folder, name), 0o755);
  }
}

/** Without symbols where `strip` is there, and compressed. Beside it stands the empty executable file to unpack it to. */
async function compressed(from, to) {
  await mkdir(path.dirname(to), { recursive: true });
  let content = await readFile(from);
  if (program('strip')) {
    execFileSync(program('strip'), ['-o', to, from]);
    content = await readFile(to);
  }
  await writeFile(`${to}.gz`, await promisify(gzip)(content, { level: constants.Z_BEST_COMPRESSION }));
  await writeFile(to, '');
  await chmod(to, 0o755);
}

/** wgrad as it is here, bundled with its packages, and Dawn. */
async function packApplication(app) {
  const { buildWasm } = await import('./wasm.mjs');
  const { bundleWhole } = await import('./bundle.mjs');
  await buildWasm({ quiet: true });
  await bundleWhole(path.join(app, 'dist'));
  const { name, version, license, type, imports } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  await writeFile(path.join(app, 'package.json'), JSON.stringify({ name, version, license, type, imports }, null, 2));
  await writeFile(path.join(app, 'probe.mjs'), "import 'webgpu'; // starts only where Dawn does\n");
  await copyFile(path.join(root, 'LICENSE'), path.join(app, 'LICENSE'));
  // PyTorch takes part in `bench quick` where the machine has it. The other peers have packages of their own.
  await mkdir(path.join(app, 'bench/peers'), { recursive: true });
  const peers = path.join(root, 'bench/peers');
  for (const file of (await readdir(peers)).filter((name) => name.endsWith('.py'))) {
    await copyFile(path.join(peers, file), path.join(app, 'bench/peers', file));
  }
  const dawn = path.join(root, 'node_modules/webgpu');
  for (const file of ['package.json', 'index.js', 'LICENSE.md']) {
    await cp(path.join(dawn, file), path.join(app, 'node_modules/webgpu', file));
  }
  const binary = 'dist/linux-x64/dawn.node';
  await compressed(path.join(dawn, binary), path.join(app, 'node_modules/webgpu', binary));
  return path.join(dawn, binary);
}

async function bytesOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(path.join(entry.parentPath ?? entry.path, entry.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** What is missing on this machine to pack, or undefined. */
export function whyNot() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'packing is for Linux on x86-64, run there';
  if (!existsSync(path.join(root, 'node_modules/webgpu'))) return 'the npm package `webgpu` is not installed';
  if (!library('libvulkan.so.1')) return 'there is no Vulkan loader (libvulkan.so.1): on Debian, package libvulkan1';
  for (const name of ['ldd', 'gzip']) if (!program(name)) return `there is no program ${name}`;
  return undefined;
}

/** Writes the folder and returns its size in bytes. Throws PackError. */
export async function pack(out, { golden } = {}) {
  const problem = whyNot();
  if (problem) throw new PackError(problem);
  if (golden !== undefined && !existsSync(path.join(golden, 'manifest.json'))) {
    throw new PackError(`${golden} is no folder of fixtures: it has no manifest.json`);
  }
  if (existsSync(out) && (await readdir(out)).length > 0) throw new PackError(`${out} is not empty`);
  await mkdir(out, { recursive: true });
  const dawn = await packApplication(path.join(out, 'app'));
  await compressed(process.execPath, path.join(out, 'bin/node'));
  await copyFile(await realpath(program('gzip')), path.join(out, 'bin/gzip'));
  const loader = library('libvulkan.so.1');
  await copyLibraries(needed([process.execPath, dawn, loader, program('gzip')]), path.join(out, 'lib/own'));
  await copyLibraries(new Map([['libvulkan.so.1', loader]]), path.join(out, 'lib/vulkan'));
  const nvidia = { file_format_version: '1.0.0', ICD: { library_path: 'libGLX_nvidia.so.0', api_version: '1.3.0' } };
  await writeFile(path.join(out, 'lib/vulkan/nvidia_icd.json'), `${JSON.stringify(nvidia)}\n`);
  await mkdir(path.join(out, 'lib/x11'), { recursive: true });
  const x11 = ['libX11.so.6', 'libXext.so.6'].map(library).filter(Boolean);
  const ofX11 = new Map([...needed(x11), ...x11.map((place) => [path.basename(place), place])]);
  await copyLibraries(
    new Map([...ofX11].filter(([name]) => /^lib(X|xcb|bsd|md\.)/.test(name))),
    path.join(out, 'lib/x11'),
  );
  await copyFile(path.join(root, 'bench/pack/run.sh'), path.join(out, 'run.sh'));
  await chmod(path.join(out, 'run.sh'), 0o755);
  if (golden !== undefined) await cp(golden, path.join(out, 'golden'), { recursive: true });
  const bytes = await bytesOf(out);
  if (bytes > LIMIT_MB * 1e6) throw new PackError(`${out} has ${(bytes / 1e6).toFixed(1)} MB: more than ${LIMIT_MB}`);
  return bytes;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { golden: { type: 'string' } } });
    if (positionals.length !== 1)
      throw new PackError('expected the folder to write: npm run pack -- OUT [--golden DIR]');
    const bytes = await pack(path.resolve(positionals[0]), values);
    console.log(`${positionals[0]}: ${(bytes / 1e6).toFixed(1)} MB; copy it to the machine and run ./run.sh there`);
  } catch (error) {
    if (!(error instanceof PackError) && error.code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw error;
    console.error(`pack: ${error.message.split('\n')[0]}`);
    process.exitCode = 2;
  }
}
