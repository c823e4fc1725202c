// JSON objects of files in which a key given twice is a fault: JSON.parse would keep the last one and say nothing. Also where
// each key of the outermost object stands, for messages; both in one walk over the text.
const [QUOTE, BACKSLASH, OPEN, CLOSE, COLON] = [0x22, 0x5c, 0x7b, 0x7d, 0x3a];

/** The index after the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    at = text.indexOf('"', at);
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
}

function afterSpace(text: string, start: number): number {
  let at = start;
  while (/\s/.test(text.charAt(at))) at++;
  return at;
}

export interface ParsedJson {
  readonly value: unknown;
  /** Index in the text of each key of the outermost object, in the order of the text. */
  readonly positions: ReadonlyMap<string, number>;
  /** The first key that its object has already, at any depth, and where it stands the second time. */
  readonly repeated?: { readonly key: string; readonly position: number };
}

/** Parses a text in time proportional to its length. Throws SyntaxError as JSON.parse does. */
export function parseJson(text: string): ParsedJson {
  const value: unknown = JSON.parse(text);
  const positions = new Map<string, number>();
  const keysAbove: Set<string>[] = [];
  let keys = new Set<string>();
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN) {
      keysAbove.push(keys);
      keys = new Set();
    } else if (code === CLOSE) {
      keys = keysAbove.pop()!;
    } else if (code === QUOTE) {
      const end = stringEnd(text, at);
      const next = afterSpace(text, end);
      if (text.charCodeAt(next) === COLON) {
        // Two spellings of a key, with and without escapes, are one key.
        const key = JSON.parse(text.slice(at, end)) as string;
        if (keys.has(key)) return { value, positions, repeated: { key, position: at } };
        keys.add(key);
        if (keysAbove.length === 1) positions.set(key, at);
      }
      at = next - 1;
    }
  }
  return { value, positions };
}
