// Fetching against a server of our own: whole files, wrong bytes, errors, and connections that end or hang.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import t from 'tap';
import { ConfigError, DataError } from '../../engine/index.ts';
import { type DataSet, dataSets, fetchDataSet, fetchFiles } from '../../experiments/index.ts';
import { makeFolder } from '../../experiments/runner/files.ts';

const content = Buffer.from('the bytes of a data set '.repeat(5000));
const sha256 = createHash('sha256').update(content).digest('hex');
const dataSet: DataSet = { folder: 'made', origins: [], files: { 'a.gz': sha256, 'b.gz': sha256 } };

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

const failures: Record<string, { handler: RequestListener; pattern: RegExp }> = {
  'wrong bytes': {
    handler: (_, response) => response.end('something else'),
    pattern: /not the published file.*SHA-256/,
  },
  'an error status': { handler: (_, response) => response.writeHead(404).end(), pattern: /HTTP status 404/ },
  'a connection that breaks': {
    handler(_, response) {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 1000), () => response.destroy());
    },
    pattern: /cannot be fetched/,
  },
  'a connection that hangs': {
    handler: (_, response) => void response.write(content.subarray(0, 1000)),
    pattern: /no data for/,
  },
};

for (const [name, { handler, pattern }] of Object.entries(failures)) {
  t.test(name, async (t) => {
    const to = t.testdir();
    await serving(handler, async (origin) => {
      await t.rejects(fetchFiles(dataSet, to, { origin, idleLimit: 300 }), pattern);
      await t.rejects(fetchFiles(dataSet, to, { origin, idleLimit: 300 }), DataError);
    });
    t.same(await readdir(path.join(to, 'made')), [], 'nothing is left behind');
  });
}

t.test('the next origin is tried', async (t) => {
  const to = t.testdir();
  await serving(
    (request, response) => response.writeHead(request.url!.startsWith('/set/') ? 500 : 200).end(content),
    async (origin) => {
      await fetchFiles({ ...dataSet, origins: [origin, new URL('/other/', origin).href] }, to);
    },
  );
  t.ok(existsSync(path.join(to, 'made', 'b.gz')));
});

t.test('names', async (t) => {
  await t.rejects(fetchDataSet('mnits', t.testdir()), ConfigError);
  t.equal(Object.keys(dataSets.mnist!.files).length, 4);
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
