// Fetching against servers of our own: whole files, parts of them, wrong bytes, errors, and connections that end or hang.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import t from 'tap';
import { ConfigError, DataError } from '../../engine/index.ts';
import { dataSets, type FetchedSet, fetchDataSet, fetchFiles } from '../../experiments/index.ts';
import { makeFolder } from '../../experiments/runner/files.ts';

const content = Buffer.from('the bytes of a data set '.repeat(5000));
const sha256 = createHash('sha256').update(content).digest('hex');
const dataSet: FetchedSet = { folder: 'made', origins: [], files: { 'a.gz': sha256, 'b.gz': sha256 } };

/** Serves with `handler` for as long as `work` runs. */
async function serving(handler: RequestListener, work: (origin: string) => Promise<void>): Promise<void> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/set`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

t.test('files are put in place, and not fetched twice', async (t) => {
  const to = t.testdir();
  const asked: string[] = [];
  await serving(
    (request, response) => {
      asked.push(request.url!);
      response.end(content);
    },
    async (origin) => {
      const states: string[] = [];
      const report = (_file: string, state: string): number => states.push(state);
      t.equal(await fetchFiles(dataSet, to, { origin, report }), path.join(to, 'made'));
      await fetchFiles(dataSet, to, { origin, report });
      t.same(asked, ['/set/a.gz', '/set/b.gz']);
      t.same(states, ['fetched', 'fetched', 'present', 'present']);
    },
  );
  t.same(await readFile(path.join(to, 'made', 'a.gz')), content);
  t.same((await readdir(path.join(to, 'made'))).sort(), ['a.gz', 'b.gz'], 'no partial files');
});

/** Sends some bytes and ends the connection some turns of the loop later, when they have arrived: client and server share it. */
function breakOff(response: ServerResponse, bytes: Uint8Array): void {
  response.write(bytes);
  let turns = 20;
  const timer = setInterval(() => {
    if (--turns > 0) return;
    clearInterval(timer);
    response.destroy();
  }, 5);
}

interface Failure {
  handler: RequestListener;
  pattern: RegExp;
  /** Bytes of the partial file that is left for the next attempt. */
  left?: number;
  idleLimit?: number;
}

const failures: Record<string, Failure> = {
  'wrong bytes': {
    handler: (_, response) => response.end('something else'),
    pattern: /not the published file.*SHA-256/,
  },
  'a web page': {
    handler: (_, response) => response.end('<!doctype html><title>Sign in</title>'),
    pattern: /not the published file.*got a web page/,
  },
  'an error status': { handler: (_, response) => response.writeHead(404).end(), pattern: /HTTP status 404/ },
  'a refusal': { handler: (_, response) => response.writeHead(403).end('no robots'), pattern: /HTTP status 403/ },
  'a connection that breaks': {
    handler(_, response) {
      response.writeHead(200, { 'content-length': content.length });
      breakOff(response, content.subarray(0, 1000));
    },
    pattern: /cannot be fetched/,
    left: 1000,
  },
  'a connection that hangs': {
    handler: (_, response) => void response.write(content.subarray(0, 1000)),
    pattern: /no data for/,
    left: 1000,
    idleLimit: 300,
  },
  'another part than asked for': {
    handler(request, response) {
      if (request.headers.range) {
        response.writeHead(206, { 'content-range': `bytes 7-9/${content.length}` }).end('abc');
        return;
      }
      response.writeHead(200, { 'content-length': content.length });
      breakOff(response, content.subarray(0, 500));
    },
    pattern: /expected bytes from 500 on, got bytes from 7 on/,
    left: 500,
  },
};

for (const [name, { handler, pattern, left, idleLimit = 20_000 }] of Object.entries(failures)) {
  t.test(name, async (t) => {
    const to = t.testdir();
    await serving(handler, async (origin) => {
      await t.rejects(fetchFiles(dataSet, to, { origin, idleLimit }), pattern);
      await t.rejects(fetchFiles(dataSet, to, { origin, idleLimit }), DataError);
      await t.rejects(fetchFiles({ ...dataSet, byHand: ['Ask a friend.'] }, to, { origin, idleLimit }), {
        message: /a\.gz cannot be fetched.*By hand: Ask a friend\./,
      });
    });
    t.same(await readdir(path.join(to, 'made')), left ? ['a.gz.part'] : [], 'what has arrived, if it may be right');
    if (left) t.same(await readFile(path.join(to, 'made', 'a.gz.part')), content.subarray(0, left));
  });
}

/** Answers ranges as a file server does, and breaks off after so many bytes of each answer. */
const ranges =
  (breakAfter: number, asked: (string | undefined)[]): RequestListener =>
  (request, response) => {
    const { range } = request.headers;
    asked.push(range);
    const first = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    if (first >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    const part = content.subarray(first);
    const headers = {
      'content-length': part.length,
      'content-range': `bytes ${first}-${content.length - 1}/${content.length}`,
    };
    response.writeHead(range ? 206 : 200, headers);
    if (part.length <= breakAfter) response.end(part);
    else breakOff(response, part.subarray(0, breakAfter));
  };

t.test('a download that breaks off goes on where it was', async (t) => {
  const to = t.testdir();
  const asked: (string | undefined)[] = [];
  await serving(ranges(50_000, asked), async (origin) => {
    await fetchFiles({ ...dataSet, files: { 'a.gz': sha256 } }, to, { origin });
  });
  t.same(asked, [undefined, 'bytes=50000-', 'bytes=100000-']);
  t.same(await readFile(path.join(to, 'made', 'a.gz')), content);
  t.same(await readdir(path.join(to, 'made')), ['a.gz']);
});

/** What lies in the partial file from before, and the ranges that are asked for then. */
const earlier: Record<string, { part: Buffer; asked: (string | undefined)[] }> = {
  'a part': { part: content.subarray(0, 70_000), asked: ['bytes=70000-'] },
  'all of it': { part: content, asked: [`bytes=${content.length}-`] },
  'more than all': {
    part: Buffer.concat([content, Buffer.from('x')]),
    asked: [`bytes=${content.length + 1}-`, undefined],
  },
  'a part of another file': { part: Buffer.alloc(70_000, 'z'), asked: ['bytes=70000-', undefined] },
};

for (const [name, { part, asked: expected }] of Object.entries(earlier)) {
  t.test(`an earlier attempt left ${name}`, async (t) => {
    const to = t.testdir({ made: {} });
    const only = { ...dataSet, files: { 'a.gz': sha256 } };
    await writeFile(path.join(to, 'made', 'a.gz.part'), part);
    const asked: (string | undefined)[] = [];
    await serving(ranges(Infinity, asked), async (origin) => void (await fetchFiles(only, to, { origin })));
    t.same(asked, expected);
    t.same(await readFile(path.join(to, 'made', 'a.gz')), content);
    // A server without ranges sends all of it again.
    await rm(path.join(to, 'made', 'a.gz'));
    await writeFile(path.join(to, 'made', 'a.gz.part'), part);
    await serving(
      (_, response) => response.end(content),
      async (origin) => void (await fetchFiles(only, to, { origin })),
    );
    t.same(await readFile(path.join(to, 'made', 'a.gz')), content);
    t.same(await readdir(path.join(to, 'made')), ['a.gz']);
  });
}

t.test('two processes at the same file', async (t) => {
  const to = t.testdir();
  await serving(
    (_, response) => {
      response.write(content.subarray(0, 30_000));
      setTimeout(() => response.end(content.subarray(30_000)), 50);
    },
    async (origin) => {
      await Promise.all([1, 2, 3].map(() => fetchFiles(dataSet, to, { origin })));
    },
  );
  t.same(await readFile(path.join(to, 'made', 'a.gz')), content);
  t.same((await readdir(path.join(to, 'made'))).sort(), ['a.gz', 'b.gz']);
});

t.test('mirrors: the next origin is tried, goes on with the part, and is asked first from then on', async (t) => {
  const to = t.testdir();
  const asked: string[] = [];
  const refused: string[] = [];
  await serving(
    (request, response) => {
      asked.push(`${request.url} ${request.headers.range ?? 'whole'}`);
      if (request.url!.startsWith('/set/')) response.writeHead(403).end('no robots');
      else if (request.url!.startsWith('/weak/'))
        ranges(40_000, [])({ ...request, headers: {} } as typeof request, response);
      else ranges(Infinity, [])(request, response);
    },
    async (origin) => {
      const origins = [origin, new URL('/weak/', origin).href, new URL('/other/', origin).href];
      await fetchFiles({ ...dataSet, origins }, to, { refused: ({ reason }) => refused.push(reason) });
    },
  );
  t.same(asked, ['/set/a.gz whole', '/weak/a.gz whole', '/weak/a.gz bytes=40000-', '/other/a.gz bytes=40000-', '/other/b.gz whole']); // prettier-ignore
  t.match(refused, [/\/set\/a\.gz cannot be fetched/, /\/weak\/a\.gz cannot be fetched/]);
  for (const file of ['a.gz', 'b.gz']) t.same(await readFile(path.join(to, 'made', file)), content);
});

t.test('when all origins fail, each is named with its reason', async (t) => {
  await serving(
    (request, response) => response.writeHead(request.url!.startsWith('/set/') ? 403 : 503).end(),
    async (origin) => {
      const set = { ...dataSet, origins: [origin, new URL('/other', origin).href, 'http://127.0.0.1:1/'] };
      await t.rejects(fetchFiles(set, t.testdir()), {
        name: 'DataError',
        message:
          /\/set\/a\.gz.*403.*\/other\/a\.gz.*503.*127\.0\.0\.1:1\/a\.gz.*By hand: Download it in a browser into .*made/,
      });
    },
  );
});

t.test('names', async (t) => {
  await t.rejects(fetchDataSet('mnits', t.testdir()), ConfigError);
  await t.rejects(fetchDataSet('kitti', t.testdir()), ConfigError);
  const { files, origins } = dataSets.mnist!;
  t.equal(Object.keys(files).length, 4);
  t.match(origins, [/yann\.lecun\.com/, /ossci-datasets\.s3\.amazonaws\.com\/mnist\/$/]);
});

t.test(
  'a folder that cannot be made is an error at once',
  { skip: process.platform !== 'linux' && 'needs /proc' },
  async (t) => {
    await t.rejects(makeFolder('/proc/no/such/folder'), { code: 'ENOENT' });
    const file = path.join(t.testdir({ file: 'x' }), 'file');
    await t.rejects(makeFolder(path.join(file, 'below')));
    const deep = path.join(t.testdir(), 'a/b/c');
    await makeFolder(deep);
    await makeFolder(deep);
    t.ok(existsSync(deep));
  },
);
