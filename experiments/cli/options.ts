// What holds for the options and arguments of all commands.
import { type Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../../engine/index.ts';
import { NO_COLOR_OPTION } from './colour.ts';

/** One more of an option that may be given several times. */
export const oneMore = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** What takes a whole number between two, for an option, and what it is called when another comes. */
export const wholeBetween =
  (from: number, to: number, called = 'a whole number') =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < from || value > to) {
      throw new InvalidArgumentError(`Expected ${called} from ${from} to ${to}.`);
    }
    return value;
  };

/** A number of jobs, parts or runs, taken at face value. */
export const wholeNumber = wholeBetween(1, 10_000);

/** What refuses a text by a ConfigError, as an option takes it. */
export const asOption =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { reason, details } = error;
      throw new InvalidArgumentError(`${reason}; expected ${details.expected}.`);
    }
  };

/** A message of commander, which puts its suggestions on lines of their own. */
export const oneLine = (text: string): string =>
  text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ');

/** `--out ""` would be the current folder, and a variable that is not set is seldom meant. */
function refuseEmpty(of: Option | Argument): void {
  const parse = of.parseArg;
  of.parseArg = <T>(text: string, before: T): T => {
    if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
    if (parse) return parse(text, before);
    return (of.variadic ? oneMore(text, (before ?? []) as readonly string[]) : text) as T;
  };
}

/** To be called when all options are there: none takes an empty value, and each command takes `--no-color`. */
export function finish(command: Command): void {
  command.options.filter(({ required, optional }) => required || optional).forEach(refuseEmpty);
  command.registeredArguments.forEach(refuseEmpty);
  command.addOption(new Option(NO_COLOR_OPTION, 'without colours, as with NO_COLOR'));
  command.commands.forEach(finish);
}
