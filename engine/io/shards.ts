// The index of weights in several files, as Hugging Face writes it (`model.safetensors.index.json`): which tensor is in which.
import { DataError } from '../errors.ts';
import { contentOf, foreignFile } from './content.ts';
import { type ParsedJson, parseJson } from './json.ts';

/**
 * Names of the tensors by the name of their file, in the order of the index. Throws DataError for what is no index, and for
 * names of files that are not beside it.
 */
export function readIndex(file: string, content: Uint8Array): Map<string, string[]> {
  let parsed: ParsedJson;
  const text = new TextDecoder().decode(content);
  try {
    parsed = parseJson(text);
  } catch (cause) {
    if (contentOf(content)) throw foreignFile(file, content, 'an index of safetensors files');
    throw new DataError(`${file}, byte 0: the index is not JSON`, { given: (cause as Error).message, cause });
  }
  const { value, repeated } = parsed;
  if (repeated) {
    const byte = new TextEncoder().encode(text.slice(0, repeated.position)).length;
    throw new DataError(`${file}, byte ${byte}: the index has the key '${repeated.key}' twice`);
  }
  const names = new Map<string, string[]>();
  const map = (value as { weight_map?: unknown } | null)?.weight_map;
  const entries = typeof map === 'object' && map ? Object.entries(map) : [];
  for (const [name, shard] of entries) {
    // An index names files beside itself and nothing else.
    if (typeof shard !== 'string' || !/^[^/\\]+$/.test(shard) || shard.startsWith('.')) {
      throw new DataError(`${file}: bad file of '${name}'`, {
        expected: 'the name of a file beside the index',
        given: JSON.stringify(shard),
      });
    }
    const inShard = names.get(shard);
    if (inShard) inShard.push(name);
    else names.set(shard, [name]);
  }
  if (!names.size) throw new DataError(`${file}: the index has no 'weight_map'`, { given: text.slice(0, 60) });
  return names;
}
