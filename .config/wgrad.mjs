// The command line from a checkout: builds first if a source changed, then runs in this same process.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { root } from './sources.mjs';

try {
  await build({ ifStale: true, quiet: true });
} catch (error) {
  const isMissing = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'ENOENT';
  console.error(isMissing ? `${error.message}\nRun 'npm ci' first.` : error.message);
  process.exit(1);
}
process.argv[1] = path.join(root, 'dist/experiments/cli/main.js');
await import(pathToFileURL(process.argv[1]).href);
