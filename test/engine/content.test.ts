// What a file is by its first bytes, and what the readers of weights say of one that is something else.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import {
  DataError,
  nn,
  createDevice,
  readCheckpoint,
  readSafetensors,
  saveCheckpoint,
  setDefaultDevice,
  writeSafetensors,
} from '../../engine/index.ts';
import { contentOf, foreignFile } from '../../engine/io/content.ts';

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
const pointer = latin(`version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12\n`);

const kinds: Readonly<Record<string, readonly Buffer[]>> = {
  'a Git LFS pointer': [pointer],
  'a git-annex pointer': [latin('/annex/objects/MD5E-s3--x.png'), latin('../../.git/annex/objects/xx/yy')],
  'a web page': [latin('<!DOCTYPE HTML PUBLIC'), latin('\r\n  <html lang="en">'), latin('<!-- saved -->\n<head>')],
  'an XML document': [latin('<?xml version="1.0"?><Error/>')],
  'a zip archive': [latin('PK\x03\x04\0\0\x08\x08'), latin('PK\x05\x06\0\0')],
  'a gzip file': [gzipSync('x')],
  'a tar archive': [Buffer.concat([Buffer.alloc(257, 'n'), latin('ustar\0'), Buffer.alloc(249)])],
  'an HDF5 file': [latin('\x89HDF\r\n\x1a\n\0')],
  'a Python pickle': [latin('\x80\x02}q')],
  'a NumPy array': [latin('\x93NUMPY\x01\0')],
  'a PNG picture': [latin('\x89PNG\r\n\x1a\n')],
  'a JPEG picture': [latin('\xff\xd8\xff\xe0')],
  'an AppleDouble file': [Buffer.from([0, 5, 22, 7, 0, 2, 0, 0])],
  'an SVG drawing': [latin('<svg>'), latin('\xef\xbb\xbf\n<SVG width="3">')],
  'an empty file': [Buffer.alloc(0)],
  'nothing but zeros': [Buffer.alloc(100)],
};

t.test('kinds', (t) => {
  for (const [name, files] of Object.entries(kinds))
    for (const bytes of files) t.equal(contentOf(bytes)?.name, name, bytes.toString('latin1', 0, 20));
  for (const bytes of [
    latin('7\0\0\0\0\0\0\0{"x":'),
    latin('# a list'),
    latin('PKzip'),
    latin('{"a": 1}'),
    latin('<svgs>'),
  ])
    t.equal(contentOf(bytes), undefined, bytes.toString('latin1'));
  const error = foreignFile('a.x', pointer, 'an X file');
  t.ok(error instanceof DataError);
  t.match(error.message, /^a\.x, byte 0: a Git LFS pointer, not an X file\. .*git lfs pull/);
  t.match(
    foreignFile('a.x', latin('data'), 'an X file', 'Look').message,
    /^a\.x, byte 0: not an X file, got 4 bytes\. Look/,
  );
  t.end();
});

t.test('readers of weights', async (t) => {
  setDefaultDevice(await createDevice('reference'));
  const folder = t.testdir();
  for (const [name, files] of Object.entries(kinds)) {
    for (const bytes of files) {
      if (bytes.length < 10) continue;
      const file = path.join(folder, 'model.safetensors');
      await writeFile(file, bytes);
      const pattern = new RegExp(`model\\.safetensors, byte 0: ${name}, not a safetensors file`);
      t.throws(() => readSafetensors(bytes, file), { name: 'DataError', message: pattern });
      await t.rejects(readCheckpoint(file), { name: 'DataError', message: pattern });
    }
  }
  const index = path.join(folder, 'model.safetensors.index.json');
  await writeFile(index, pointer);
  await t.rejects(readCheckpoint(index), { message: /index\.json, byte 0: a Git LFS pointer, not an index/ });
  await writeFile(index, 'no JSON');
  await t.rejects(readCheckpoint(index), { message: /the index is not JSON/ });
  // A header whose length begins like an archive is a header all the same.
  const padded = `{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}${' '.repeat(0x8b1f)}`.slice(0, 0x8b1f - 1) + '}';
  const bytes = Buffer.concat([Buffer.from([0x1f, 0x8b, 0, 0, 0, 0, 0, 0]), latin(padded), Buffer.of(7)]);
  t.equal(contentOf(bytes)?.name, 'a gzip file');
  t.same([...readSafetensors(bytes, 'x').tensors.get('x')!.data], [7]);
  const file = path.join(folder, 'whole.safetensors');
  await saveCheckpoint(file, new nn.Linear(2, 3));
  t.equal((await readCheckpoint(file)).state.size, 2);
  t.equal(readSafetensors(writeSafetensors({ tensors: new Map() }), 'empty').tensors.size, 0);
});
