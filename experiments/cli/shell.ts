// Command lines as a shell reads them.

/** Words as a POSIX shell takes them back: what means something to it is put in quotes. */
export const shellWords = (words: readonly string[]): string =>
  words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');

/** The words that start this program: npm tells a process the name of the script that it is. */
export function programWords(script = process.env.npm_lifecycle_event): string[] {
  if (script === 'wgrad') return ['npm', 'run', '--silent', 'wgrad', '--'];
  return script === 'npx' ? ['npx', 'wgrad'] : ['wgrad'];
}

/** The command as it was given, as a shell takes it. */
export const commandGiven = (words = process.argv.slice(2), script = process.env.npm_lifecycle_event): string =>
  shellWords([...programWords(script), ...words]);
