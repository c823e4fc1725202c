// Colour, where a terminal has it and nobody objects: `--no-color`, NO_COLOR (no-color.org) and TERM=dumb are heard.
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** The option that every command has. It is looked for among the words: errors may come before these have been parsed. */
export const NO_COLOR_OPTION = '--no-color';

const isWanted = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY && stream.hasColors() && !process.argv.includes(NO_COLOR_OPTION);

/** The text in a style, for stderr. */
export const styled = (style: Style, text: string): string =>
  isWanted(process.stderr) ? styleText(style, text) : text;

/** Whether lines of the terminal can be written over. */
export const canRedraw = (stream: NodeJS.WriteStream): boolean => stream.isTTY && process.env.TERM !== 'dumb';
