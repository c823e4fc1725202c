// What the terminal behind stderr can do. Colour where it has it and nobody objects: `--no-color`, NO_COLOR (no-color.org) and
// TERM=dumb are heard.
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** The option that every command has. It is looked for among the words: errors may come before these have been parsed. */
export const NO_COLOR_OPTION = '--no-color';

/** The terminal of the parent, where there is one behind our pipe. */
let behind = { redraws: false, colour: false };

/** Stderr is a pipe to our parent, which writes it to a terminal that can do this. */
export function actAsTerminal(abilities: { redraws: boolean; colour: boolean }): void {
  behind = abilities;
}

/** Whether stderr shows colours. */
export const hasColour = (): boolean =>
  behind.colour || (process.stderr.isTTY && process.stderr.hasColors() && !process.argv.includes(NO_COLOR_OPTION));

/** The text in a style, for stderr. */
export const styled = (style: Style, text: string): string => (hasColour() ? styleText(style, text) : text);

/** Whether lines of the terminal can be written over. */
export const canRedraw = (stream: NodeJS.WriteStream): boolean =>
  (stream === process.stderr && behind.redraws) || (stream.isTTY && process.env.TERM !== 'dumb');
