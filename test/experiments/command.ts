// Running the built command line as people do, and looking at what it leaves behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { repositoryRoot } from '../shared-data.ts';

/** The built program. */
export const program = path.join(repositoryRoot(), 'dist/experiments/cli/main.js');

export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves when the text has appeared on stderr, or the process has ended. */
  says(text: string): Promise<void>;
}

/** Words that train tables in the smallest size, on the device that every machine has. */
export const smokeOf = (tables: string | readonly string[], ...more: string[]): string[] =>
  ['reproduce', tables, '--preset', 'smoke', '--device', 'wasm', more].flat();

export function start(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Running {
  const child = spawn(process.execPath, [program, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    waiting.forEach((look) => look());
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
  const says = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!stderr.includes(text)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void ended.then(() => resolve());
    });
  return { child, ended, says };
}

export const run = (args: readonly string[], cwd: string): Promise<Ended> => start(args, cwd).ended;

/** Every file below a folder, sorted, relative to it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** The results of all finished runs below a run folder, without times, by file. */
export async function runResults(out: string): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const file of await filesBelow(path.join(out, 'runs'))) {
    if (!file.endsWith('.json')) continue;
    const record = JSON.parse(await readFile(path.join(out, 'runs', file), 'utf8')) as { result: unknown };
    results[file] = record.result;
  }
  return results;
}
