// `wgrad watch` without a browser: the states of runs and folders, what is refused, damage while it watches, numbers as CSV and as event
// files. The page is tested in test/browser, what `reproduce` writes for it in reproduce.test.ts.
import { mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import t from 'tap';
import { ConfigError } from '../../engine/index.ts';
import { exportCommand, watchCommand } from '../../experiments/cli/watch.ts';
import { PROGRESS_FILE } from '../../experiments/runner/progress-file.ts';
import { numbersCsv } from '../../experiments/watch/csv.ts';
import { WatchedFolder } from '../../experiments/watch/folder.ts';
import { serveWatch } from '../../experiments/watch/server.ts';
import { crc32c, eventFile } from '../../experiments/watch/tensorboard.ts';
import type { GroupNumbers, WatchState } from '../../experiments/watch/state.ts';
import { filesBelow } from './command.ts';
import { madePlace, writeMadeCheckpoint, writeRecord, writeWatched } from './watched-folder.ts';

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** Asks as no browser would: with any path, as it is, and any headers. */
const ask = (address: string, wanted: string, headers = {}, method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(address);
    const sent = request({ hostname, port, path: wanted, headers, method }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, text }));
    });
    sent.on('error', reject).end();
  });

/** Seed and state of each run of a folder, by the run. */
const statesOf = async (folder: WatchedFolder): Promise<Record<string, string[]>> =>
  Object.fromEntries(
    (await folder.look()).groups.map(({ run, runs }) => [run, runs.map(({ seed, state }) => `${seed} ${state}`)]),
  );

t.test('the states of runs', async (t) => {
  const folder = path.join(t.testdir(), 'run');
  const watched = new WatchedFolder(folder);
  t.equal((await watched.look()).state, 'missing');
  await mkdir(folder);
  t.equal((await watched.look()).state, 'empty');
  await writeWatched(folder);
  const atWork = { 'stl, baseline': ['0 done', '1 running', '2 failed'], 'mtl, student': ['0 waiting'] };
  t.same(await statesOf(watched), atWork);
  const state = await watched.look();
  t.match(state, { state: 'running', share: 0.55, secondsLeft: 90, cells: 6, cellsDone: 2, problems: [] });
  t.match(state.groups[0], { id: madePlace, fingerprint: '0123abcd', pictures: 1, hasCurves: true });
  t.match(state.groups[0]!.runs[0], { seconds: 61.5, peakBytes: 5_000_000 });
  t.match(state.groups[0]!.runs[2], { message: /loss is NaN/ });
  const { curves, metrics } = watched.numbers(madePlace)!;
  const lengths = curves.map(({ bySeed }) => bySeed.map(({ values }) => values.length));
  t.same(lengths, [[40, 22], [40, 22], [40, 22], [40, 22]]); // prettier-ignore
  t.same(metrics.map(({ name }) => name), ['mIoU', 'silog']); // prettier-ignore
  t.equal((await watched.pictures(madePlace))?.[0]?.images.length, 2);

  await writeMadeCheckpoint(folder, 1, 23);
  const { version } = (await watched.look()).groups[0]!;
  t.not(version, state.groups[0]!.version, 'a new checkpoint is seen');
  t.equal(watched.numbers(madePlace)!.curves[0]!.bySeed[1]!.values.length, 23);
  t.equal((await watched.look()).groups[0]!.version, version, 'and nothing else');
  // Between its two renamings there is no file of the last name.
  await rm(path.join(folder, 'runs', madePlace, 'seed-1.safetensors'));
  await watched.look();
  t.equal(watched.numbers(madePlace)!.curves[0]!.bySeed[1]!.values.length, 23, 'not one point less for a moment');

  await rm(path.join(folder, 'lock.json'));
  t.same(await statesOf(watched), { 'stl, baseline': ['0 done', '1 stopped', '2 failed'], 'mtl, student': ['0 waiting'] }); // prettier-ignore
  const stopped = await watched.look();
  t.equal(stopped.state, 'stopped');
  t.equal(stopped.secondsLeft, undefined, 'nobody is at work');
});

t.test('damage while it is watched', async (t) => {
  const folder = path.join(t.testdir(), 'run');
  const outside = path.join(t.testdirName, 'outside');
  await writeWatched(folder);
  const watched = new WatchedFolder(folder);
  await watched.look();
  const file = (name: string): string => path.join(folder, 'runs', madePlace, name);
  await writeFile(file('seed-0.json'), '{"paper": "made", "ru');
  await writeFile(path.join(folder, PROGRESS_FILE), '[]');
  await truncate(file('seed-1.safetensors'), 40);
  await writeRecord(outside, 3);
  await symlink(path.join(outside, 'runs', madePlace), path.join(folder, 'runs', 'made', 'linked-0123abcd'));
  await symlink(path.join(outside, 'runs', madePlace, 'seed-3.json'), file('seed-3.json'));
  await symlink('/etc', path.join(folder, 'runs', 'etc'));
  await writeFile(path.join(folder, 'lock.json'), '{');
  const { problems, groups } = await watched.look();
  t.match(problems.join('\n'), /seed-0\.json: .*JSON[^]*seed-1\.safetensors: it ends at byte[^]*progress\.json: /);
  t.same(groups.map(({ id, runs }) => [id, runs.map(({ seed }) => seed)]), [[madePlace, [0, 1]]], 'links are not followed'); // prettier-ignore
  t.same(watched.numbers(madePlace), { curves: [], metrics: [] });
  await writeFile(file('seed-1.safetensors'), Buffer.alloc(64, 0xff));
  t.match((await watched.look()).problems.join('\n'), /its header cannot have/);
  await writeRecord(folder, 0);
  t.equal((await watched.look()).problems.length, 2, 'what is whole again is read again');
  await rm(folder, { recursive: true });
  t.match(await watched.look(), { state: 'missing', groups: [], problems: [] });
  t.equal(watched.numbers(madePlace), undefined);
});

t.test('the server', async (t) => {
  const folder = path.join(t.testdir(), 'run');
  await writeWatched(folder);
  const server = await serveWatch([folder, path.join(t.testdirName, 'other')], { port: 0 });
  t.teardown(() => server.close());
  const { address } = server;
  t.match(address, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  await t.rejects(serveWatch([], { port: Number(new URL(address).port) }), ConfigError);

  const state = await ask(address, '/state');
  const { folders } = JSON.parse(state.text) as WatchState;
  t.same(folders.map((each) => each.state), ['running', 'missing']); // prettier-ignore
  const again = await ask(address, '/state', { 'if-none-match': state.headers.etag });
  t.same([again.status, again.text], [304, ''], 'what has not changed is not sent');
  const group = encodeURIComponent(madePlace);
  const numbers = JSON.parse((await ask(address, `/numbers?folder=0&group=${group}`)).text) as GroupNumbers;
  t.equal(numbers.curves.length, 4);
  t.match((await ask(address, `/pictures?folder=0&group=${group}`)).text, /"label":"image 7"/);
  t.match((await ask(address, '/numbers.csv')).text, /^folder,paper,run/);
  const page = await ask(address, '/');
  t.match(page.text, /<title>wgrad watch/);
  t.match(page.headers['content-security-policy'], /default-src 'none'; script-src 'self'/);
  for (const name of ['/watch.js', '/watch.css']) t.equal((await ask(address, name, {}, 'HEAD')).status, 200, name);

  const secret = path.join(folder, 'progress.json');
  for (const way of [
    secret,
    `/..${secret}`,
    '/../package.json',
    '/%2e%2e/%2e%2e/package.json',
    '/watch.js.map',
    '/progress.json',
    '/constructor',
    `/numbers?folder=0&group=${encodeURIComponent('../../progress.json')}`,
    `/pictures?folder=0&group=${encodeURIComponent('made/../../..')}`,
    `/numbers?folder=2&group=${group}`,
    `/numbers?folder=__proto__&group=${group}`,
    '/numbers',
  ]) {
    const { status, text } = await ask(address, way);
    t.same([status, text], [404, 'not found\n'], way);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    t.equal((await ask(address, '/state', {}, method)).status, 405, method);
  }
  const { host } = new URL(address);
  for (const [headers, status] of [
    [{ host: 'evil.example' }, 403],
    [{ host: `evil.example:${new URL(address).port}` }, 403],
    [{ host: '127.0.0.1.evil.example' }, 403],
    [{ host: 'a b' }, 403],
    [{ host, origin: 'http://evil.example' }, 403],
    [{ host, origin: 'null' }, 403],
    [{ host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
    [{ host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 200],
    [{ host, origin: `http://${host}` }, 200],
    [{ host: 'localhost:9000' }, 200],
    [{ host: '[::1]:9000' }, 200],
  ] as const) {
    const answer = await ask(address, '/state', headers);
    t.equal(answer.status, status, JSON.stringify(headers));
    if (status === 403) t.notMatch(answer.text, /baseline/);
  }
});

/** The events of a file: checks every length and checksum, and takes each message apart. */
function eventsOf(bytes: Buffer) {
  const masked = (part: Buffer): number => {
    const crc = crc32c(part);
    return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  };
  const fields = (message: Uint8Array): Map<number, unknown> => {
    const reader = new BinaryReader(message);
    const found = new Map<number, unknown>();
    while (reader.pos < reader.len) {
      const [field, wire] = reader.tag();
      found.set(
        field,
        wire === 0
          ? Number(reader.int64())
          : wire === 1
            ? reader.double()
            : wire === 5
              ? reader.float()
              : Buffer.from(reader.bytes()),
      );
    }
    return found;
  };
  const events = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    const message = bytes.subarray(at + 12, at + 12 + length);
    if (bytes.readUInt32LE(at + 8) !== masked(bytes.subarray(at, at + 8))) throw new Error(`length at ${at}`);
    if (bytes.readUInt32LE(at + 12 + length) !== masked(message)) throw new Error(`message at ${at}`);
    const event = fields(message);
    const summary = event.get(5) as Buffer | undefined;
    const value = summary && fields(fields(summary).get(1) as Buffer);
    const image = value?.get(4) as Buffer | undefined;
    events.push({
      seconds: event.get(1),
      step: event.get(2) ?? 0,
      version: event.get(3)?.toString(),
      tag: value?.get(1)?.toString(),
      value: value?.get(2),
      image: image && fields(image),
    });
    at += length + 16;
  }
  return events;
}

t.test('numbers for other programs', async (t) => {
  // Test vectors of RFC 3720, B.4.
  t.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  t.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
  t.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  // The first record of every file that TensorFlow's own writer makes, but for its time: here 1 second.
  const first = eventFile({ paper: '', run: '', seed: 0, curves: {}, metrics: {}, changed: 1000 });
  const hex = Buffer.from(first).toString('hex');
  t.match(hex, /^1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a32/);

  const folder = t.testdir();
  const made = path.join(folder, 'a, b');
  await writeWatched(made);
  const watched = new WatchedFolder(made);
  await watched.look();
  const lines = numbersCsv([watched]).split('\r\n');
  t.equal(lines.length, 1 + 4 * (40 + 22) + 2 + 1);
  t.match(lines[1], /^".*a, b",made,"stl, baseline",made\/stl-baseline-0123abcd,0,curve,"loss, training",1,2\.\d+$/);
  t.match(lines.at(-2), /,1,curve,weight of depth,22,1\.5\d+$/);

  const out = path.join(folder, 'events');
  t.equal(await exportCommand([made], { tensorboard: out }), 0);
  const files = await filesBelow(out);
  t.same(files.map((file) => path.dirname(file)), [`${madePlace}/seed-0`, `${madePlace}/seed-1`]); // prettier-ignore
  const [done, running] = await Promise.all(files.map(async (file) => eventsOf(await readFile(path.join(out, file)))));
  t.match(done![0], { version: 'brain.Event:2', step: 0 });
  t.equal(done!.length, 1 + 4 * 40 + 2 + 2);
  t.equal(running!.length, 1 + 4 * 22);
  const curve = watched.numbers(madePlace)!.curves[0]!.bySeed[0]!.values;
  const scalars = done!.filter(({ tag }) => tag === 'loss, training');
  t.same(scalars.map(({ value }) => value), curve.map((value) => Math.fround(value!))); // prettier-ignore
  t.same(scalars.map(({ step }) => step), curve.map((_, i) => i + 1)); // prettier-ignore
  t.match(
    done!.find(({ tag }) => tag === 'final/mIoU'),
    { step: 40, value: Math.fround(0.58) },
  );
  const { image } = done!.find(({ tag }) => tag === 'image 7/predicted')!;
  t.same([1, 2, 3].map((field) => image!.get(field)), [32, 32, 3]); // prettier-ignore

  await t.rejects(exportCommand([out], {}), /there are no runs in '.*events'.*wgrad reproduce/);
  await truncate(path.join(made, 'runs', madePlace, 'seed-1.safetensors'), 40);
  t.equal(await exportCommand([made], { tensorboard: out }), 1, 'what is left out is not passed over');
  process.chdir(folder);
  await t.rejects(watchCommand([], { port: 0 }), /there are no run folders in 'runs'/);
});
