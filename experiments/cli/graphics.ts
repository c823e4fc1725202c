// Why a GPU that is in a Linux machine is not used: what the kernel has of it, what Vulkan has of it, and what lies in between. Reads
// files alone, so that no driver can hang it. Other systems bring their drivers with them.
import { constants } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** What is looked at. */
export interface GraphicsPlace {
  /** The root of the file system. Default `/`. */
  readonly root?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What is there of graphics, and what keeps a GPU from being used, each with its remedy. */
export interface Graphics {
  /** Graphics devices on the PCI bus, by maker. */
  readonly gpus: readonly string[];
  /** Device files of their drivers. */
  readonly deviceFiles: readonly string[];
  /** Where the Vulkan loader lies. */
  readonly loader: string | undefined;
  /** Files in which Vulkan drivers describe themselves, without software adapters. */
  readonly drivers: readonly string[];
  readonly isContainer: boolean;
  readonly findings: readonly string[];
}

/** PCI vendor to the maker, the driver's description file and where it comes from. */
const makers: Readonly<Record<string, { name: string; driver: RegExp; from: string }>> = {
  '0x10de': {
    name: 'NVIDIA',
    driver: /nvidia/i,
    from: "NVIDIA's driver (on Debian: nvidia-driver and nvidia-vulkan-icd)",
  },
  '0x1002': { name: 'AMD', driver: /radeon|amd/i, from: 'mesa-vulkan-drivers' },
  '0x8086': { name: 'Intel', driver: /intel/i, from: 'mesa-vulkan-drivers' },
};

/** VGA controllers, 3D controllers and other displays. */
const isDisplay = (kind: string): boolean => /^0x03(00|02|80)/.test(kind);
const isSoftwareDriver = (file: string): boolean => /lvp|llvmpipe|swiftshader|gfxstream|virtio/i.test(file);

const LIBRARIES = ['lib/x86_64-linux-gnu', 'lib/aarch64-linux-gnu', 'lib64', 'lib'];
const DESCRIPTIONS = ['usr/share/vulkan/icd.d', 'usr/local/share/vulkan/icd.d', 'etc/vulkan/icd.d'];

const listOf = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
const textOf = (file: string): Promise<string> => readFile(file, 'utf8').then((text) => text.trim(), () => ''); // prettier-ignore
const isThere = (file: string, mode = constants.F_OK): Promise<boolean> => access(file, mode).then(() => true, () => false); // prettier-ignore

async function findGpus(root: string): Promise<string[]> {
  const bus = path.join(root, 'sys/bus/pci/devices');
  const found = await Promise.all(
    (await listOf(bus)).sort().map(async (device) => {
      const kind = await textOf(path.join(bus, device, 'class'));
      return isDisplay(kind) ? textOf(path.join(bus, device, 'vendor')) : '';
    }),
  );
  return found.filter((vendor) => vendor in makers);
}

async function findDeviceFiles(root: string): Promise<string[]> {
  const nvidia = (await listOf(path.join(root, 'dev'))).filter((name) => /^nvidia\d+$/.test(name));
  const nodes = (await listOf(path.join(root, 'dev/dri'))).filter((name) => name.startsWith('renderD'));
  return [...nvidia.map((name) => `dev/${name}`), ...nodes.map((name) => `dev/dri/${name}`)];
}

async function findLibrary(root: string, env: GraphicsPlace['env'], name: RegExp): Promise<string | undefined> {
  const own = (env?.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
  const usual = LIBRARIES.flatMap((folder) => [path.join(root, 'usr', folder), path.join(root, folder)]);
  for (const folder of [...own, ...usual]) {
    const file = (await listOf(folder)).find((each) => name.test(each));
    if (file) return path.join(folder, file);
  }
  return undefined;
}

/** The list of description files that the environment gives in the place of the usual folders. */
const chosenDrivers = (env: GraphicsPlace['env']): string | undefined => env?.VK_DRIVER_FILES ?? env?.VK_ICD_FILENAMES;

async function findDrivers(root: string, env: GraphicsPlace['env']): Promise<string[]> {
  const chosen = chosenDrivers(env);
  const usual = DESCRIPTIONS.map(async (folder) =>
    (await listOf(path.join(root, folder))).map((file) => path.join(root, folder, file)),
  );
  const files = chosen ? chosen.split(':') : (await Promise.all(usual)).flat();
  return files.filter((file) => file.endsWith('.json') && !isSoftwareDriver(path.basename(file)));
}

const hasGraphics = (capabilities: string): boolean => /\b(all|graphics|display)\b/.test(capabilities);

/** Looks at a Linux machine. What it finds is worth saying where WebGPU has found no hardware adapter. */
export async function findGraphics({ root = '/', env = process.env }: GraphicsPlace = {}): Promise<Graphics> {
  const [vendors, deviceFiles, loader, drivers, ...marks] = await Promise.all([
    findGpus(root),
    findDeviceFiles(root),
    findLibrary(root, env, /^libvulkan\.so\.1/),
    findDrivers(root, env),
    isThere(path.join(root, '.dockerenv')),
    isThere(path.join(root, 'run/.containerenv')),
  ]);
  const isContainer = marks.includes(true) || Boolean(env.KUBERNETES_SERVICE_HOST ?? env.container);
  const findings: string[] = [];
  const isNvidiaDriven = deviceFiles.some((file) => file.startsWith('dev/nvidia'));
  const isVisible = vendors.length > 0 || deviceFiles.length > 0;
  if (isVisible && !loader) {
    findings.push('the Vulkan loader libvulkan.so.1 is missing: install libvulkan1 (vulkan-loader on Fedora)');
  }
  if (vendors.length > 0 && deviceFiles.length === 0) {
    const names = [...new Set(vendors.map((vendor) => makers[vendor]!.name))].join(' and ');
    findings.push(
      isContainer
        ? `the machine has a GPU of ${names}, which this container cannot see: start it with --gpus all (NVIDIA) or --device /dev/dri`
        : `the machine has a GPU of ${names}, and no driver of it is loaded (no /dev/nvidia0, no /dev/dri/renderD*)`,
    );
  }
  const nvidiaOnly = isNvidiaDriven && vendors.length === 0 ? ['0x10de'] : [];
  for (const vendor of new Set([...vendors, ...nvidiaOnly])) {
    const { name, driver, from } = makers[vendor]!;
    if (deviceFiles.length === 0 || drivers.some((file) => driver.test(path.basename(file)))) continue;
    const capabilities = env.NVIDIA_DRIVER_CAPABILITIES ?? '';
    findings.push(
      vendor === '0x10de' && isContainer && !hasGraphics(capabilities)
        ? 'the container has the NVIDIA driver for computing and not for Vulkan: start it with ' +
            `NVIDIA_DRIVER_CAPABILITIES=all (it is ${capabilities ? `'${capabilities}'` : 'not set'})`
        : `no Vulkan driver of ${name} is installed: it comes with ${from}`,
    );
  }
  for (const file of deviceFiles) {
    if (await isThere(path.join(root, file), constants.R_OK | constants.W_OK)) continue;
    findings.push(
      `/${file} may not be opened by this user: add the user to its group (render or video), and log in again`,
    );
  }
  const chosen = chosenDrivers(env);
  if (isVisible && chosen && drivers.length === 0) {
    findings.push(
      `VK_DRIVER_FILES or VK_ICD_FILENAMES names software drivers alone (${chosen}): unset it to see the GPU`,
    );
  }
  const gpus = vendors.map((vendor) => makers[vendor]!.name);
  return { gpus, deviceFiles: deviceFiles.map((file) => `/${file}`), loader, drivers, isContainer, findings };
}

/** What an adapter lacks that WebGPU can have, with what that costs. `features`: as `device.facts` lists them. */
export function missingFeatures(features: string): string[] {
  const has = new Set(features.split(' '));
  const costs: Readonly<Record<string, string>> = {
    subgroups: 'no plans by subgroups: products and convolutions take those with tiles in workgroup memory',
    'timestamp-query': 'profiles and benchmarks time launches by the host, which counts waiting too',
  };
  return Object.entries(costs).flatMap(([name, cost]) => (has.has(name) ? [] : [`without ${name}: ${cost}`]));
}

/** What a software adapter costs. */
export const softwareCost =
  'a software adapter checks shaders; on the same processor the wasm device is ten and more times as fast, so auto takes that';
