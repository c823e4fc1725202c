// Command lines as a shell reads them.

/** Words as a POSIX shell takes them back: what means something to it is put in quotes. */
export const shellWords = (words: readonly string[]): string =>
  words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
