// Who may take part beside wgrad: the peers by name, each with the devices it stands for. Commands are those of the peers'
// processes; a list of several interpreters is tried in order.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../engine/index.ts';
import { AbsentError, type Contestant } from './contestant.ts';
import { startFirst } from './peer.ts';

/** Peers that need longer for one repetition do not take part. */
const ANSWER_LIMIT_MS = 30_000;

/** Beside dist in a checkout. An installed package has no such folder. */
const besideDist = (folder: string): string =>
  fileURLToPath(import.meta.url.replace(/\/dist\/.*$/, `/bench/${folder}/`));

export const peersFolder = besideDist('peers');
/** Tracked results. */
export const resultsFolder = besideDist('results');

/** Starts the first of several commands, each with a script of the peers' folder and its arguments. */
async function startScript(
  interpreters: readonly string[],
  script: string,
  args: readonly string[],
  limitMs: number,
): Promise<Contestant> {
  if (!existsSync(peersFolder)) throw new AbsentError('peers run only from a checkout of wgrad');
  return startFirst(
    interpreters.map((interpreter) => [interpreter, peersFolder + script, ...args]),
    limitMs,
  );
}

/** Someone who may take part; `start` throws AbsentError if not. Entrants stay for all cases that name them. */
export interface Entrant {
  readonly name: string;
  start(): Promise<Contestant>;
}

export type BenchDevice = 'wasm' | 'webgpu';

interface Peer {
  readonly name: string;
  readonly devices: readonly BenchDevice[];
  readonly interpreters: readonly string[];
  readonly script: string;
  /** Arguments of its script when it may use this many threads. */
  args(threads: number): readonly string[];
}

const node = [process.execPath];
/** A Python of its own on the path may lack the system's packages. */
export const pythons = ['python3', '/usr/bin/python3'];

/** In the order in which they are printed. */
const peers: readonly Peer[] = [
  // On Node the package allows one thread. With more it runs as in a browser, on workers that web-worker.mjs lends it.
  { name: 'tfjs-wasm', devices: ['wasm'], interpreters: node, script: 'tfjs.mjs', args: (n) => ['wasm', String(n)] },
  { name: 'tfjs-cpu', devices: ['wasm'], interpreters: node, script: 'tfjs.mjs', args: () => ['cpu'] },
  { name: 'tfjs-webgpu', devices: ['webgpu'], interpreters: node, script: 'tfjs.mjs', args: () => ['webgpu'] },
  {
    name: 'jax-js-wasm',
    devices: ['wasm'],
    interpreters: node,
    script: 'jax-js.mjs',
    args: (n) => ['wasm', String(n)],
  },
  { name: 'jax-js-webgpu', devices: ['webgpu'], interpreters: node, script: 'jax-js.mjs', args: () => ['webgpu'] },
  { name: 'ort-web', devices: ['wasm'], interpreters: node, script: 'onnx.mjs', args: (n) => ['web', String(n)] },
  { name: 'ort-node', devices: ['wasm'], interpreters: node, script: 'onnx.mjs', args: (n) => ['node', String(n)] },
  { name: 'gpu.js', devices: ['wasm'], interpreters: node, script: 'gpu-js.mjs', args: () => [] },
  {
    name: 'pytorch',
    devices: ['wasm', 'webgpu'],
    interpreters: pythons,
    script: 'torch_peer.py',
    args: (n) => [String(n)],
  },
];

export const peerNames: readonly string[] = peers.map(({ name }) => name);

/** The names of a comma-separated list; `all` and `none` stand for themselves. Throws ConfigError for an unknown name. */
export function parsePeers(list: string): readonly string[] {
  if (list === 'all') return peerNames;
  if (list === 'none') return [];
  const names = list.split(',').map((name) => name.trim());
  for (const name of names) {
    if (peerNames.includes(name)) continue;
    throw new ConfigError(`there is no peer '${name}'`, { expected: `all, none, or some of ${peerNames.join(', ')}` });
  }
  return names;
}

/** One peer with this many threads. `label` tells it from itself with another number. */
export function peerNamed(name: string, threads: number, label = name, limitMs = ANSWER_LIMIT_MS): Entrant {
  const peer = peers.find((each) => each.name === name);
  if (!peer) throw new Error(`there is no peer ${name}`);
  const { interpreters, script, args } = peer;
  return { name: label, start: () => startScript(interpreters, script, args(threads), limitMs) };
}

/** The named peers that have to do with a device. */
export const peersFor = (device: BenchDevice, names: readonly string[], threads: number, limitMs?: number): Entrant[] =>
  peers
    .filter((peer) => names.includes(peer.name) && peer.devices.includes(device))
    .map(({ name }) => peerNamed(name, threads, name, limitMs));
