// Which test files the gate starts, how often, and on which Vulkan driver.
//
// A test file says on what it runs with a call of testedOn (test/tested-on.ts), which is read here in its text. One that names
// webgpu is started without a driver for its other parts, and for webgpu alone on the first driver found of Mesa's llvmpipe and
// SwiftShader, or on both where drivers can differ.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root, sourceFiles } from './sources.mjs';

/**
 * What a driver can get wrong, plans of kernels and special values, is tested on each. How a grid is folded is the planners', which gradient
 * belongs to which operation and how far its range goes is the engine's, how sums round is the plans', and the rungs of ladders are not in the
 * library.
 */
const onEveryDriver = /^test\/(devices\/(candidates|plans|windows)|kernels\/(?!ladders|error-model)|property\/ieee)/;

/** Where the software Vulkan drivers of Debian and its relatives describe themselves. */
const softwareDrivers = {
  llvmpipe: ['lvp_icd.json', 'lvp_icd.x86_64.json', 'lvp_icd.aarch64.json'].flatMap((name) => [
    `/usr/share/vulkan/icd.d/${name}`,
    `/etc/vulkan/icd.d/${name}`,
  ]),
  swiftshader: ['/usr/lib/chromium', '/usr/lib64/chromium-browser', '/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].map(
    (folder) => `${folder}/vk_swiftshader_icd.json`,
  ),
};

/** Driver name to the environment in which the Vulkan loader finds that driver alone. */
export function findDrivers(only) {
  if (only === 'system') return new Map([['system', {}]]);
  const drivers = new Map();
  for (const [name, places] of Object.entries(softwareDrivers)) {
    const file = places.find(existsSync);
    if (file && (!only || only === name)) drivers.set(name, { VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file });
  }
  return drivers;
}

/** The names in the file's call of testedOn; none if it has no such call, and runs whole. */
function partsOf(file) {
  const calls = [...readFileSync(path.join(root, file), 'utf8').matchAll(/\btestedOn\(([^)]*)\)/g)];
  if (calls.length > 1) throw new Error(`${file} calls testedOn ${calls.length} times, expected once`);
  return new Set(calls[0]?.[1].match(/\w+/g));
}

/** The runs of the files whose path contains one of the words, or of all, and the files that find no driver. */
export function planTests(words, drivers) {
  const runs = [];
  const skipped = [];
  for (const file of sourceFiles(['test', 'bench'])) {
    if (!file.endsWith('.test.ts')) continue;
    if (words.length > 0 && !words.some((word) => file.includes(word))) continue;
    const parts = partsOf(file);
    if (!parts.delete('webgpu')) {
      runs.push({ file, args: [] });
      continue;
    }
    if (parts.size > 0) runs.push({ file, args: ['--webgpu', 'none'] });
    if (drivers.size === 0) skipped.push(`${file} > no Vulkan driver found (llvmpipe or SwiftShader)`);
    const chosen = onEveryDriver.test(file) ? [...drivers] : [...drivers].slice(0, 1);
    for (const [driver, env] of chosen) runs.push({ file, args: ['--webgpu', 'only'], driver, env });
  }
  return { runs, skipped };
}
