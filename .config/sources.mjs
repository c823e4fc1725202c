// Which files the build reads, whether they changed since it last ran, and the lock that keeps two builds apart.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const stampFile = path.join(root, 'dist/.stamp');
const folders = ['.config', 'engine', 'kernels', 'models', 'experiments', 'bench', 'test'];
const looseFiles = ['package.json', 'package-lock.json', 'tsconfig.json'];
/** Where they are, for git. */
export const sourcePaths = [...folders, ...looseFiles, ':!bench/results', ':!experiments/papers/*/results'];
const isSource = /\.(tsx?|mjs|js|json|wgsl|html|css)$/;
const notSource = /(^|\/)node_modules$|^bench\/results$/;
/** What the build itself writes among them: see params.mjs. */
const isMade = /^kernels\/[^/]+\/params\.as\.ts$/;

/** Every source file below the given folders, relative to the root, in a fixed order. */
export function sourceFiles(from = folders) {
  const found = [];
  const walk = (folder) => {
    let entries;
    try {
      entries = readdirSync(path.join(root, folder), { withFileTypes: true });
    } catch {
      return;
    }
    for (const entry of entries) {
      const file = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!notSource.test(file)) walk(file);
      } else if (isSource.test(entry.name) && !isMade.test(file)) found.push(file);
    }
  };
  from.forEach(walk);
  return found.sort();
}

/**
 * One string that changes when a source is added, removed or written, or committed (`revision`). Times, not contents: this runs
 * before every command.
 */
export function sourceStamp(revision) {
  const hash = createHash('sha256').update(`${revision}\n`);
  for (const file of [...looseFiles, ...sourceFiles()]) {
    const info = statSync(path.join(root, file), { throwIfNoEntry: false });
    hash.update(`${file} ${info?.mtimeMs} ${info?.size}\n`);
  }
  return hash.digest('hex');
}

/** One string that changes when the contents of these files change. */
export function contentStamp(files, salt = '') {
  const hash = createHash('sha256').update(salt);
  for (const file of files) hash.update(`\n${file}\n`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

export function isStale(revision) {
  return readIfThere(stampFile) !== sourceStamp(revision);
}

export function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Runs `work` while no other process of this checkout builds. A lock whose owner is gone is taken over. */
export async function withLock(work) {
  const lock = path.join(root, 'dist/.lock');
  const owner = path.join(lock, 'pid');
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const pid = Number(readIfThere(owner));
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (pid ? !isAlive(pid) : age > 5000) rmSync(lock, { recursive: true, force: true });
      else await sleep(100);
    }
  }
  writeFileSync(owner, String(process.pid));
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
