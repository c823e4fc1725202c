// The page of golden fixtures on a port of this machine: the built page, and below fixtures/ the files of one folder.
// Leaves out everything else: only plain names of known types are served, and only to this machine.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { ConfigError } from '../../../engine/index.ts';

export interface GoldenServer {
  /** Address of the page, which ends in a slash. */
  readonly address: string;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.safetensors': 'application/octet-stream',
};

/** A page with these may share memory between threads. */
const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** The file behind an address. Names that begin with a dot, and with them every way up, stand for none. */
function fileAt(address: string, page: string, fixtures: string): string | undefined {
  if (address === '/') return page;
  const names = address.slice(1).split('/');
  const isPlain = names.every((name) => /^[\w-][\w.-]*$/.test(name)) && path.extname(address) in types;
  if (!isPlain) return undefined;
  if (names[0] === 'fixtures') return path.join(fixtures, ...names.slice(1));
  return names.length === 1 ? path.join(path.dirname(page), names[0]!) : undefined;
}

async function answer(request: IncomingMessage, response: ServerResponse, page: string, fixtures: string) {
  const { pathname, searchParams } = new URL(`http://localhost${request.url ?? ''}`);
  const file = fileAt(pathname, page, fixtures);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const content = file && isRead ? await readFile(file).catch(() => undefined) : undefined;
  if (!file || !content) {
    response.writeHead(isRead ? 404 : 405, { 'content-type': 'text/plain' }).end(isRead ? 'not found' : 'read only');
    return;
  }
  response.writeHead(200, {
    'content-type': types[path.extname(file)],
    'content-length': content.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(searchParams.get('isolated') === 'no' ? {} : isolation),
  });
  response.end(content);
}

/**
 * Serves the page and the fixtures of `directory` on 127.0.0.1. Port 0 takes any free one. The page is cross-origin
 * isolated unless its address says `isolated=no`. Throws ConfigError where the port cannot be had.
 */
export async function serveGolden(directory: string, port = 0): Promise<GoldenServer> {
  const page = createRequire(import.meta.url).resolve('#golden-page');
  const server = createServer((request, response) => {
    answer(request, response, page, directory).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  }).catch((cause: Error) => {
    throw new ConfigError(`cannot serve on port ${port}: ${cause.message}`, { operation: 'golden', cause });
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
