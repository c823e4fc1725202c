// The lines of a progress display: one for each run under way and one for the whole, made to fit the columns of the terminal.
// The numbers are never cut; they take a shorter form where there is little room, and a long name gives up its middle.
import type { Snapshot } from '../runner/progress.ts';

export const duration = (seconds: number): string => {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** `45s`, `2m05`, `3h20`, `12d`. */
function shortDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m${two(whole % 60)}`;
  const hours = Math.floor(minutes / 60);
  return hours < 100 ? `${hours}h${two(minutes % 60)}` : `${Math.round(hours / 24)}d`;
}

/** A text with its middle left out where it is longer than `width`. */
export function shortened(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width < 2) return text.slice(0, width);
  const end = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - end)}…${text.slice(text.length - end)}`;
}

const percent = (share: number): string => `${Math.floor(100 * share)}`.padStart(3);
/** Three digits, without an exponent. */
const rateText = (rate: number): string => (rate >= 100 ? String(Math.round(rate)) : rate.toPrecision(3));

interface Pace {
  readonly share: number;
  readonly stepsPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

/** Done, rate and time left, from the longest form to the shortest. */
function paceForms({ share, stepsPerSecond, secondsLeft }: Pace): string[] {
  const present = (parts: readonly (string | undefined)[], between: string): string =>
    parts.filter((part) => part !== undefined).join(between);
  const rate = stepsPerSecond === undefined ? undefined : rateText(stepsPerSecond);
  const long = secondsLeft === undefined ? undefined : `${duration(secondsLeft)} left`;
  const short = secondsLeft === undefined ? undefined : `${shortDuration(secondsLeft)} left`;
  return [
    present([`${percent(share)} %`, rate && `${rate} steps/s`, long], ', '),
    present([`${percent(share)}%`, rate && `${rate}/s`, short], ' '),
    present([`${percent(share)}%`, secondsLeft === undefined ? undefined : shortDuration(secondsLeft)], ' '),
    `${percent(share)}%`,
  ];
}

const BAR = 20;
const bar = (share: number): string => {
  const full = Math.round(BAR * Math.min(1, Math.max(0, share)));
  return '█'.repeat(full) + '░'.repeat(BAR - full);
};

/** Fewest columns for a name. */
const NAME = 12;

/** A run under way: its name on the left, its pace on the right. */
function runLine(name: string, pace: Pace, width: number): string {
  const forms = paceForms(pace);
  // The longest form beside the whole name, else the first that leaves room for a part of it.
  const fits = (columns: number) => forms.find((form) => form.length + 1 + columns <= width);
  const form = fits(name.length) ?? fits(NAME) ?? forms.at(-1)!;
  const room = width - form.length - 1;
  if (room < 1) return shortened(form, width);
  return `${shortened(name, room).padEnd(room)} ${form}`;
}

function wholeLine({ runsDone, runs, cellsDone, cells, ...pace }: Snapshot, width: number): string {
  const [long, ...shorter] = paceForms(pace);
  const forms = [
    `${bar(pace.share)} runs ${runsDone}/${runs}, cells ${cellsDone}/${cells}, ${long!.trim()}`,
    `runs ${runsDone}/${runs}, cells ${cellsDone}/${cells}, ${long!.trim()}`,
    ...shorter.map((form) => `runs ${runsDone}/${runs} ${form.trim()}`),
  ];
  return forms.find((form) => form.length <= width) ?? shortened(forms.at(-1)!, width);
}

/** A line for each run under way and the last one for the whole, none longer than `width`. */
export const statusLines = (snapshot: Snapshot, width: number): string[] => [
  ...snapshot.running.map(({ name, ...pace }) => runLine(name, pace, width)),
  wholeLine(snapshot, width),
];
