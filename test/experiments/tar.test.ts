// Unpacking tar.gz: files, folders, long names, companions of macOS; damage; and fetching a data set that consists of archives.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { DataError } from '../../engine/index.ts';
import { dataSets, fetchFiles } from '../../experiments/index.ts';
import { unpackTarGz } from '../../experiments/data/formats/tar.ts';

/** One entry: a header with its checksum, and the content in blocks of 512 bytes. */
function entry(name: string, content: string | Buffer, kind = '0', size?: string): Buffer {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${size ?? bytes.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write(' '.repeat(8) + kind, 148);
  header.write('ustar\0', 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

const end = Buffer.alloc(1024);
const long = `a/${'x'.repeat(120)}/file.txt`;
const wide = `b/${'y'.repeat(110)}.txt`;
const pax = `${`xx path=${wide}\n`.length + 1} path=${wide}\n`;
const content = Buffer.concat([
  entry('a/', '', '5'),
  entry('a/one.txt', 'one'),
  entry('a/._one.txt', 'resource fork'),
  entry('__MACOSX/a/one.txt', 'resource fork'),
  entry('./a/.DS_Store', 'order of icons'),
  entry('./a/empty.txt', ''),
  entry('a/big.bin', Buffer.alloc(100_000, 7)),
  entry('././@LongLink', `${long}\0`, 'L'),
  entry('cut', 'long'),
  entry('pax', pax, 'x'),
  entry('cut too', 'wide'),
  entry('a/link', '', '2'),
  end,
]);

t.test('files and names', async (t) => {
  const folder = t.testdir();
  writeFileSync(path.join(folder, 'x.tar.gz'), gzipSync(content));
  t.equal(await unpackTarGz(path.join(folder, 'x.tar.gz'), folder), 5);
  const text = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
  t.same([text('a/one.txt'), text('a/empty.txt'), text(long), text(wide)], ['one', '', 'long', 'wide']);
  t.equal(readFileSync(path.join(folder, 'a/big.bin')).length, 100_000);
  for (const stray of ['a/._one.txt', '__MACOSX', 'a/.DS_Store']) t.notOk(existsSync(path.join(folder, stray)), stray);
});

const damages: Record<string, [Buffer, RegExp]> = {
  'no gzip': [content, /cannot be unpacked.*expected a tar\.gz archive, got a tar archive/],
  'a web page': [Buffer.from('<!DOCTYPE html><p>Log in'), /cannot be unpacked.*got a web page/],
  'an entry without a size': [
    gzipSync(entry('a', 'x', '0', 'zzzzzzzzzzz')),
    /unpacked byte 512: an entry without a size/,
  ],
  'gzip that ends too early': [gzipSync(content).subarray(0, 100), /cannot be unpacked/],
  'tar that ends too early': [gzipSync(content.subarray(0, 4000)), /byte \d+: the archive ends too early/],
  'no header': [gzipSync(Buffer.alloc(1024, 65)), /byte 512: not a tar header/],
  'a path upwards': [gzipSync(Buffer.concat([entry('../evil.txt', 'x'), end])), /outside the folder.*evil/],
};

for (const [name, [bytes, pattern]] of Object.entries(damages)) {
  t.test(name, async (t) => {
    const folder = path.join(t.testdir({ inside: {} }), 'inside');
    const archive = path.join(folder, 'x.tar.gz');
    writeFileSync(archive, bytes);
    await t.rejects(unpackTarGz(archive, folder), pattern);
    await t.rejects(unpackTarGz(archive, folder), DataError);
    t.notOk(existsSync(path.join(folder, '../evil.txt')));
  });
}

t.test('a data set of archives is fetched, unpacked once, and mended', async (t) => {
  const to = t.testdir();
  const bytes = gzipSync(content);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const server = createServer((_, response) => response.end(bytes));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const origins = [`http://127.0.0.1:${(server.address() as AddressInfo).port}/`];
  const dataSet = { folder: 'made', origins, files: { 'x.tar.gz': sha256 }, archives: true };
  await fetchFiles(dataSet, to);
  const file = path.join(to, 'made/a/one.txt');
  t.equal(readFileSync(file, 'utf8'), 'one');
  rmSync(file);
  await fetchFiles(dataSet, to);
  t.notOk(existsSync(file), 'what is marked as unpacked is left alone');
  rmSync(path.join(to, 'made/x.tar.gz.unpacked'));
  await fetchFiles(dataSet, to);
  t.ok(existsSync(file), 'an interrupted one is unpacked anew');
  server.closeAllConnections();
});

t.test('Oxford-IIIT Pet', (t) => {
  const { files, origins, archives } = dataSets['oxford-iiit-pet']!;
  t.same(Object.keys(files), ['annotations.tar.gz', 'images.tar.gz']);
  t.ok(Object.values(files).every((sha256) => /^[0-9a-f]{64}$/.test(sha256)));
  t.ok(archives && origins.every((origin) => new URL(origin).pathname.endsWith('/')));
  t.end();
});
