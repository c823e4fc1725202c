// What a command shows while it works: lines at the bottom of a terminal that are written over, one line per run elsewhere, JSON
// lines with --json.
import { clearScreenDown } from 'node:readline';
import { MultiBar, type SingleBar } from 'cli-progress';
import type { Display, RunEvent, Snapshot } from '../runner/progress.ts';
import { styled } from './colour.ts';
import { say } from './output.ts';
import { duration, statusLines } from './status-lines.ts';

const runName = ({ paper, run, seed }: RunEvent): string => `${paper} ${run}, seed ${seed}`;
const firstLine = (text = ''): string => text.split('\n')[0]!;

/** Assumed columns of a terminal that does not say how many it has. */
const USUAL_COLUMNS = 80;

/** A line for each run under way and one for the whole, at the bottom of the terminal, on stderr; results go to stdout. */
export function barDisplay(terminal: NodeJS.WriteStream): Display {
  let bars: SingleBar[] = [];
  let multi: MultiBar | undefined;
  let shown: Snapshot | undefined;

  const redraw = (): void => {
    if (!shown) return;
    // A terminal may go on to the next line when its last column is written to.
    const lines = statusLines(shown, (terminal.columns || USUAL_COLUMNS) - 1);
    // One line more or less is another block of lines.
    if (bars.length !== lines.length) stop();
    multi ??= start();
    lines.forEach((line, i) => {
      if (bars[i]) bars[i].update(0, { line });
      else bars.push(multi!.create(1, 0, { line }));
    });
    multi.update();
  };
  const start = (): MultiBar => {
    const made = new MultiBar({
      format: (_options, _params, payload: { line: string }) => payload.line,
      stream: terminal,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      forceRedraw: true,
    });
    // What stood there in a wider terminal.
    made.on('redraw-pre', () => clearScreenDown(terminal));
    return made;
  };
  const stop = (): void => {
    multi?.stop();
    multi = undefined;
    bars = [];
  };
  /** Lines of their own stand above those that are written over. */
  const above = (text: string): void => {
    stop();
    say(text);
    redraw();
  };
  const show = (snapshot: Snapshot): void => {
    shown = snapshot;
    redraw();
  };

  terminal.on('resize', redraw);
  // The cursor comes back whatever ends the process.
  process.once('exit', stop);
  return {
    notice: above,
    run(event, snapshot) {
      shown = snapshot;
      if (event.type === 'failed') above(styled('red', `${runName(event)} failed: ${firstLine(event.message)}`));
      else redraw();
    },
    progress: show,
    end() {
      shown = undefined;
      stop();
      terminal.off('resize', redraw);
      process.off('exit', stop);
    },
  };
}

/** One line when a run ends. */
export function lineDisplay(write: (line: string) => void): Display {
  return {
    notice: write,
    run(event, { runsDone, runs, cellsDone, cells, secondsLeft }) {
      if (event.type === 'started') return;
      const left = secondsLeft === undefined || runsDone === runs ? '' : `, about ${duration(secondsLeft)} left`;
      const state = event.type === 'failed' ? `failed: ${firstLine(event.message)}` : duration(event.seconds ?? 0);
      write(`run ${runsDone}/${runs} (cells ${cellsDone}/${cells}): ${runName(event)}: ${state}${left}`);
    },
    progress: () => undefined,
    end: () => undefined,
  };
}

/** One JSON object per line: `{type: "notice" | "run" | "progress", ...}`. Progress at most once a second. */
export function jsonDisplay(write: (line: string) => void): Display {
  let last = 0;
  return {
    notice: (text) => write(JSON.stringify({ type: 'notice', text })),
    run: ({ type: state, ...event }, snapshot) => write(JSON.stringify({ type: 'run', state, ...event, ...snapshot })),
    progress(snapshot) {
      if (performance.now() - last < 1000) return;
      last = performance.now();
      write(JSON.stringify({ type: 'progress', ...snapshot }));
    },
    end: () => undefined,
  };
}
