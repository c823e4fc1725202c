// The whole run of docs/mnist.ts, timed from the start of its process to its end: what a user waits for, reading included.
//
//   node .config/build.mjs docs/mnist.ts bench/suites/mnist.ts && node dist/bench/suites/mnist.js DIR [FILE]
import { execFile } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createDevice } from '../../engine/index.ts';
import { machineFacts, versionsOf, writeDocument } from '../report/document.ts';

const example = fileURLToPath(new URL(import.meta.url.replace(/\/dist\/.*$/, '/dist/docs/mnist.js')));
const [folder, file] = process.argv.slice(2);
if (folder === undefined) throw new Error('expected the folder of the MNIST files: mnist.js DIR [FILE]');

const { description } = await createDevice('auto').then((device) => (device.dispose(), device));
const [loadBefore, started] = [os.loadavg(), performance.now()];
const { stdout } = await promisify(execFile)(process.execPath, [example, folder]);
const document = {
  command: 'node .config/build.mjs docs/mnist.ts bench/suites/mnist.ts && node dist/bench/suites/mnist.js DIR FILE',
  finished: new Date().toISOString(),
  seconds: (performance.now() - started) / 1000,
  machine: machineFacts(loadBefore),
  device: description,
  versions: versionsOf([]),
  method: 'One run in a process of its own: reading the files, three epochs over all digits, and a test after each.',
  accuracyPercent: Array.from(stdout.matchAll(/: (\S+) %/g), ([, percent]) => Number(percent)),
};
if (file === undefined) console.log(document);
else await writeDocument(file, document);
