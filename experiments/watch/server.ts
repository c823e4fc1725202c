// The server of `wgrad watch`: one page, and what it asks for again and again. Nothing is looked at when nobody asks, and at most twice
// a second when many do. Read-only: folders, groups and pages are looked up by name among what is known, and no part of an address ever
// becomes part of a path. Pages of other sites learn nothing: their `Origin` is refused, and so is a `Host` that is a name which
// another site could have made point here.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, isIP } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { ConfigError } from '../../engine/index.ts';
import { numbersCsv } from './csv.ts';
import { WatchedFolder } from './folder.ts';
import type { FolderState } from './state.ts';

/** A server that was started. */
export interface WatchServer {
  /** Address of the page, which ends in a slash. */
  readonly address: string;
  close(): Promise<void>;
}

/** Where to listen. */
export interface WatchOptions {
  /** Any free one for 0. */
  readonly port: number;
  /** Address or name of this machine to listen on. Default: 127.0.0.1, which no other machine reaches. */
  readonly host?: string | undefined;
}

/** An answer that could not be given, with its status. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The files of the page, by address: name among the built ones, and type. */
const pages: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['watch.html', 'text/html; charset=utf-8'],
  '/watch.js': ['watch.js', 'text/javascript; charset=utf-8'],
  '/watch.css': ['watch.css', 'text/css; charset=utf-8'],
};

const headers = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Milliseconds from one look at the folders to the next. */
const LOOK_MS = 500;

function parsed(address: string): URL | undefined {
  try {
    return new URL(address);
  } catch {
    return undefined;
  }
}

/** The name in a `Host` header or an origin, without the port. */
function hostName(text: string | undefined): string | undefined {
  const url = text === undefined ? undefined : parsed(text.includes('://') ? text : `http://${text}`);
  return url?.hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Refuses what other sites have a browser send. */
function checkSource({ headers: sent }: IncomingMessage, ownNames: readonly string[]): void {
  const name = hostName(sent.host);
  // A site can have a name of its own point here, but no address.
  if (name === undefined || !(isIP(name) || ownNames.includes(name))) {
    throw new Refusal(
      403,
      `the host '${sent.host ?? ''}' is not known here: use the address that \`wgrad watch\` printed`,
    );
  }
  if (sent.origin !== undefined && sent.origin !== `http://${sent.host}`) {
    throw new Refusal(403, `pages of ${sent.origin} may not read this`);
  }
  if (sent['sec-fetch-site'] === 'cross-site' && sent['sec-fetch-mode'] !== 'navigate') {
    throw new Refusal(403, 'pages of other sites may not read this');
  }
}

class Watch {
  readonly #folders: readonly WatchedFolder[];
  readonly #page = path.dirname(createRequire(import.meta.url).resolve('#watch-page'));
  #looking: Promise<readonly FolderState[]> | undefined;
  #lookedAt = -Infinity;

  constructor(folders: readonly string[]) {
    this.#folders = folders.map((folder) => new WatchedFolder(folder));
  }

  /** The states of all folders, at most so old as the time between two looks. */
  #look(): Promise<readonly FolderState[]> {
    if (this.#looking && performance.now() - this.#lookedAt < LOOK_MS) return this.#looking;
    const before = this.#looking ?? Promise.resolve();
    this.#lookedAt = performance.now();
    // One look at a time: a slow disk is not asked twice.
    this.#looking = before.then(() => Promise.all(this.#folders.map((folder) => folder.look())));
    return this.#looking;
  }

  /** What stands at an address: its type and content. Throws Refusal. */
  async at(pathname: string, query: URLSearchParams): Promise<readonly [type: string, content: string | Buffer]> {
    const page = Object.hasOwn(pages, pathname) ? pages[pathname] : undefined;
    if (page) return [page[1], await readFile(path.join(this.#page, page[0]))];
    const json = (value: unknown) => ['application/json', JSON.stringify(value)] as const;
    if (pathname === '/state') return json({ folders: await this.#look() });
    await this.#look();
    if (pathname === '/numbers.csv') return ['text/csv; charset=utf-8', numbersCsv(this.#folders)];
    const folder = this.#folders[Number(query.get('folder') ?? NaN)];
    const id = query.get('group') ?? '';
    const found =
      pathname === '/numbers' ? folder?.numbers(id) : pathname === '/pictures' ? await folder?.pictures(id) : undefined;
    if (!found) throw new Refusal(404, 'not found');
    return json(found);
  }
}

async function answer(watch: Watch, request: IncomingMessage, response: ServerResponse, ownNames: readonly string[]) {
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new Refusal(405, 'read only');
    checkSource(request, ownNames);
    const url = parsed(`http://localhost${request.url ?? ''}`);
    if (!url) throw new Refusal(400, 'no address');
    const [type, content] = await watch.at(url.pathname, url.searchParams);
    const etag = `"${createHash('sha1').update(content).digest('hex')}"`;
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { ...headers, etag }).end();
      return;
    }
    const length = Buffer.byteLength(content);
    response.writeHead(200, { ...headers, etag, 'content-type': type, 'content-length': length });
    response.end(request.method === 'HEAD' ? undefined : content);
  } catch (error) {
    // What a file had in it when it was asked for may be another thing than before.
    const status = error instanceof Refusal ? error.status : 500;
    response.writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8' });
    response.end(`${(error as Error).message}\n`);
  }
}

/** Serves the page of these folders, which need not be there yet. Throws ConfigError where the port cannot be had. */
export async function serveWatch(
  folders: readonly string[],
  { port, host = '127.0.0.1' }: WatchOptions,
): Promise<WatchServer> {
  const watch = new Watch(folders);
  const ownNames = ['localhost', host, ...(host === '127.0.0.1' ? [] : [os.hostname()])].map((name) =>
    name.toLowerCase(),
  );
  const server = createServer((request, response) => {
    answer(watch, request, response, ownNames).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  }).catch((cause: Error) => {
    throw new ConfigError(`cannot serve on port ${port} of ${host}: ${cause.message}`, {
      operation: 'watch',
      hint: 'Choose another one with --port; 0 takes any that is free',
      cause,
    });
  });
  const own = (server.address() as AddressInfo).port;
  return {
    address: `http://${isIP(host) === 6 ? `[${host}]` : host}:${own}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
