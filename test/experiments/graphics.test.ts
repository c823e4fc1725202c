// What `wgrad doctor` says of a GPU that is there and not used: made file systems of machines and containers.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { findGraphics, missingFeatures } from '../../experiments/cli/graphics.ts';

let number = 0;

/** A file system with these files; those of devices are empty. */
async function machine(files: Readonly<Record<string, string>>): Promise<string> {
  const root = path.join(t.testdirName, `machine-${++number}`);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.join(root, path.dirname(file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }
  return root;
}

const gpu = (vendor: string, slot = '0000:01:00.0'): Record<string, string> => ({
  [`sys/bus/pci/devices/${slot}/class`]: '0x030000\n',
  [`sys/bus/pci/devices/${slot}/vendor`]: `${vendor}\n`,
});
const loader = { 'usr/lib/x86_64-linux-gnu/libvulkan.so.1': '' };
const icd = (name: string): Record<string, string> => ({ [`usr/share/vulkan/icd.d/${name}`]: '{}' });
const nvidia = { ...gpu('0x10de'), 'dev/nvidia0': '' };

t.testdir();

t.test('machines', async (t) => {
  const cases: readonly [string, Record<string, string>, Record<string, string>, readonly RegExp[]][] = [
    ['no GPU', { ...gpu('0x1af4'), ...loader, ...icd('lvp_icd.json') }, {}, []],
    ['all is there', { ...nvidia, ...loader, ...icd('nvidia_icd.json') }, {}, []],
    ['AMD with Mesa', { ...gpu('0x1002'), 'dev/dri/renderD128': '', ...loader, ...icd('radeon_icd.json') }, {}, []],
    ['no loader', { ...nvidia, ...icd('nvidia_icd.json') }, {}, [/libvulkan\.so\.1 is missing: install libvulkan1/]],
    ['no kernel driver', { ...gpu('0x10de'), ...loader }, {}, [/a GPU of NVIDIA, and no driver of it is loaded/]],
    [
      'two makers without drivers',
      { ...gpu('0x10de'), ...gpu('0x8086', '0000:00:02.0'), ...loader },
      {},
      [/a GPU of Intel and NVIDIA/],
    ],
    ['no Vulkan driver', { ...nvidia, ...loader, ...icd('lvp_icd.json') }, {}, [/no Vulkan driver of NVIDIA.*nvidia-vulkan-icd/]],
    [
      'Intel without Mesa',
      { ...gpu('0x8086'), 'dev/dri/renderD128': '', ...loader },
      {},
      [/no Vulkan driver of Intel is installed: it comes with mesa-vulkan-drivers/],
    ],
    [
      'a container for computing',
      { ...nvidia, ...loader, '.dockerenv': '' },
      { NVIDIA_DRIVER_CAPABILITIES: 'compute,utility' },
      [/NVIDIA_DRIVER_CAPABILITIES=all \(it is 'compute,utility'\)/],
    ],
    ['a container without a word', { 'dev/nvidia0': '', ...loader, 'run/.containerenv': '' }, {}, [/=all \(it is not set\)/]],
    ['a container that sees no GPU', { ...gpu('0x10de'), ...loader, '.dockerenv': '' }, {}, [/--gpus all .* --device \/dev\/dri/]],
    [
      'a variable that hides the driver',
      { ...nvidia, ...loader, ...icd('nvidia_icd.json') },
      { VK_DRIVER_FILES: '/usr/share/vulkan/icd.d/lvp_icd.json' },
      [/no Vulkan driver of NVIDIA/, /unset it to see the GPU/],
    ],
  ]; // prettier-ignore
  for (const [name, files, env, expected] of cases) {
    const { findings } = await findGraphics({ root: await machine(files), env });
    t.equal(findings.length, expected.length, `${name}: ${findings.join(' | ')}`);
    for (const pattern of expected)
      t.ok(
        findings.some((each) => pattern.test(each)),
        `${name}: ${pattern}`,
      );
  }
});

t.test('a device file that may not be opened', { skip: process.getuid?.() === 0 && 'root may open all' }, async (t) => {
  const root = await machine({ ...gpu('0x1002'), 'dev/dri/renderD128': '', ...loader, ...icd('radeon_icd.json') });
  await chmod(path.join(root, 'dev/dri/renderD128'), 0);
  const { findings } = await findGraphics({ root, env: {} });
  t.match(findings.join(), /\/dev\/dri\/renderD128 may not be opened by this user/);
});

t.test('features', (t) => {
  t.same(missingFeatures('core-features-and-limits shader-f16 subgroups timestamp-query'), []);
  t.match(missingFeatures('core-features-and-limits').join('\n'), /without subgroups: .*\nwithout timestamp-query: /);
  t.end();
});
