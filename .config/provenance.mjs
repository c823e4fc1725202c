// What a build is made from: the commit, whether the sources are exactly its own, and the lock file. experiments/runner/build-facts.ts
// carries it into every manifest.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { readIfThere, root, sourcePaths } from './sources.mjs';

/** What git says; undefined where there is no git, or this is no checkout. */
function git(...args) {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** The commit of this checkout. A package inside the checkout of another project has none. */
export function revision() {
  const [top, commit] = git('rev-parse', '--show-toplevel', 'HEAD')?.split('\n') ?? [];
  return commit && path.resolve(top) === realpathSync(root) ? commit : undefined;
}

/** Files that are not built do not make the sources unclean. */
export function buildFacts() {
  const commit = revision();
  const lock = readIfThere(path.join(root, 'package-lock.json'));
  return {
    source: {
      revision: commit ?? 'unknown',
      clean: commit === undefined ? null : git('status', '--porcelain', '--', ...sourcePaths) === '',
    },
    lock: lock === undefined ? 'unknown' : `sha256:${createHash('sha256').update(lock).digest('hex')}`,
  };
}
