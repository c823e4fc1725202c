// What engines written for browsers expect of their host, on Node: `Worker` over blob: addresses, so that they may use
// threads here too. Leaves out everything that these engines do not call (terminate, module imports, transfer lists).
import { Blob } from 'node:buffer';
import { createRequire } from 'node:module';
import { URL } from 'node:url';

const threads = createRequire(import.meta.url)('node:worker_threads');
const NodeWorker = threads.Worker;
const sources = new Map();
let extra = '';

/** Runs before a worker's own script: the globals of a browser's worker, and files that are blobs of the main thread. */
const prelude = `
{
  const { parentPort, workerData } = require('node:worker_threads');
  const fs = require('node:fs');
  const { readFileSync } = fs;
  const scripts = new Map();
  parentPort.on('message', ({ blobScript }) => blobScript && scripts.set(blobScript.name, blobScript.source));
  fs.readFileSync = (file, ...rest) => scripts.get(file) ?? readFileSync(file, ...rest);
  globalThis.self = globalThis;
  globalThis.postMessage = (message) => parentPort.postMessage(message);
  if (workerData.isWebScript) parentPort.on('message', (data) => globalThis.onmessage({ data }));
}
`;

/** A blob that remembers its text, since a Blob's content cannot be read without waiting. */
class TextBlob extends Blob {
  constructor(parts, options) {
    super(parts, options);
    this.source = parts.join('');
  }
}

class WebWorker extends NodeWorker {
  constructor(address) {
    const source = sources.get(String(address)) ?? '';
    const isWebScript = !source.includes('parentPort'); // other scripts know Node and listen by themselves
    super(prelude + extra + source, { eval: true, workerData: { isWebScript } });
    if (isWebScript) {
      this.on('message', (data) => this.onmessage?.({ data }));
      this.on('error', (error) => this.onerror?.(error));
    }
    this.unref();
  }

  postMessage(message, transfer) {
    const blob = message?.urlOrBlob;
    if (blob instanceof TextBlob) {
      const name = 'blob-script';
      super.postMessage({ blobScript: { name, source: blob.source } });
      message = { ...message, urlOrBlob: name };
    }
    super.postMessage(message, transfer);
  }
}

/** Puts Worker, Blob and navigator in place. Call before importing the engine. `script` runs first in every worker. */
export function installWebWorker(threadCount, script = '') {
  extra = script;
  const { createObjectURL } = URL;
  URL.createObjectURL = (blob) => {
    const address = createObjectURL(blob);
    if (blob instanceof TextBlob) sources.set(address, blob.source);
    return address;
  };
  globalThis.Blob = TextBlob;
  globalThis.Worker = threads.Worker = WebWorker;
  Object.defineProperty(globalThis, 'navigator', {
    value: { userAgent: 'node', hardwareConcurrency: threadCount },
    configurable: true,
    writable: true,
  });
}
