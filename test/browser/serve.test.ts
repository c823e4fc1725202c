// The server of the golden page: it gives the page and one folder's fixtures, and nothing else. Needs no browser.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import path from 'node:path';
import t from 'tap';
import { serveGolden } from '../../experiments/verification/golden/serve.ts';
import { run, start } from '../experiments/command.ts';
import { writeFixtures } from './chromium.ts';

/** Status and headers of an address exactly as it is written, which fetch would clean up first. */
async function ask(address: string, target: string, method = 'GET') {
  const { hostname, port } = new URL(address);
  const asking = request({ hostname, port, path: target, method }).end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, headers: response.headers };
}

const layout = { 'secret.json': '{}', '.hidden.json': '{}', set: { '.hidden.json': '{}', 'notes.txt': '', deep: {} } };

t.test('what it serves', async (t) => {
  const top = t.testdir(layout);
  const folder = path.join(top, 'set');
  await writeFixtures(folder);
  const server = await serveGolden(folder);
  t.teardown(() => server.close());
  const served: Record<string, string> = {
    '/': 'text/html; charset=utf-8',
    '/?device=wasm&family=': 'text/html; charset=utf-8',
    '/golden.js': 'text/javascript; charset=utf-8',
    '/wgrad.js': 'text/javascript; charset=utf-8',
    '/fixtures/manifest.json': 'application/json',
    '/fixtures/made.safetensors': 'application/octet-stream',
  };
  for (const [target, type] of Object.entries(served)) {
    const { status, headers } = await ask(server.address, target);
    t.equal(status, 200, target);
    t.equal(headers['content-type'], type);
    t.equal(headers['cross-origin-embedder-policy'], 'require-corp');
    t.equal(headers['cross-origin-opener-policy'], 'same-origin');
  }
  const { headers } = await ask(server.address, '/?isolated=no');
  t.equal(headers['cross-origin-embedder-policy'], undefined);
  t.equal(headers['cross-origin-opener-policy'], undefined);
});

t.test('what it does not serve', async (t) => {
  const top = t.testdir(layout);
  const folder = path.join(top, 'set');
  await writeFixtures(folder);
  const server = await serveGolden(folder);
  t.teardown(() => server.close());
  const refused = [
    '/fixtures/',
    '/fixtures',
    '/fixtures/deep',
    '/fixtures/notes.txt',
    '/fixtures/.hidden.json',
    '/fixtures/../secret.json',
    '/fixtures/../.hidden.json',
    '/fixtures/deep/../../secret.json',
    '/fixtures/%2e%2e/secret.json',
    '/fixtures/..%2fsecret.json',
    '/fixtures/%2e%2e%2fsecret.json',
    '/fixtures/..\\secret.json',
    '/fixtures/..%5csecret.json',
    '/fixtures//secret.json',
    `/fixtures/${path.join(top, 'secret.json')}`,
    '/fixtures/manifest.json%00.json',
    '/../package.json',
    '/%2e%2e/%2e%2e/package.json',
    '/deep/golden.js',
    '//golden.js',
    '/%zz',
  ];
  for (const target of refused) t.equal((await ask(server.address, target)).status, 404, target);
  t.equal((await ask(server.address, '/fixtures/manifest.json', 'POST')).status, 405);
  t.equal((await ask(server.address, '/')).status, 200, 'and it goes on');
});

t.test('wgrad golden --serve', async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  const { child, ended } = start(['golden', '.', '--serve', '--device', 'wasm', '--family', 'made'], folder);
  const [said] = (await once(child.stdout!, 'data')) as [Buffer];
  const address = said.toString().trim();
  t.match(address, /^http:\/\/127\.0\.0\.1:\d+\/\?device=wasm&family=made$/);
  const page = await fetch(address);
  t.match(await page.text(), /<title>wgrad golden<\/title>/);
  t.equal((await fetch(new URL('fixtures/manifest.json', address))).status, 200);

  const taken = await run(['golden', '.', '--serve', new URL(address).port], folder);
  t.equal(taken.status, 2);
  t.match(taken.stderr, /cannot serve on port \d+/);
  child.kill('SIGINT');
  t.equal((await ended).status, 0);
});

t.test('options that cannot work', async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  const bad: Record<string, RegExp> = {
    '--serve --browser': /--browser or --serve/,
    '--serve port': /'port'.*port from 0 to 65535/,
    '--no-isolation': /--browser or --serve/,
    '--browser nowhere': /the browser does not start.*got nowhere.*--browser EXECUTABLE/,
  };
  for (const [options, says] of Object.entries(bad)) {
    const { status, stderr, stdout } = await run(['golden', '.', ...options.split(' ')], folder);
    t.equal(status, 2, options);
    t.match(stderr, says);
    t.equal(stderr.trim().split('\n').length, 1, 'one line');
    t.equal(stdout, '');
  }
});
