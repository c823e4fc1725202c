// What a command shows while it works: a progress bar on a terminal, one line per run elsewhere, JSON lines with --json.
import { Presets, SingleBar } from 'cli-progress';
import type { Display, RunEvent, Snapshot } from '../runner/progress.ts';

export const duration = (seconds: number): string => {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

const runName = ({ paper, run, seed }: RunEvent): string => `${paper} ${run}, seed ${seed}`;
const firstLine = (text = ''): string => text.split('\n')[0]!;

/** A bar at the bottom of the terminal, on stderr; results go to stdout. */
export function barDisplay(): Display {
  const bar = new SingleBar(
    {
      format: '{bar} {percentage}% | cells {cells} | {rate}{left}{current}',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      barsize: 20,
      linewrap: false,
      gracefulExit: false,
    },
    Presets.shades_grey,
  );
  let started = false;
  const draw = (snapshot: Snapshot): void => {
    const { cellsDone, cells, stepsPerSecond, secondsLeft, current, share } = snapshot;
    const payload = {
      cells: `${cellsDone}/${cells}`,
      rate: stepsPerSecond === undefined ? '' : `${stepsPerSecond.toPrecision(3)} steps/s | `,
      left: secondsLeft === undefined ? '' : `${duration(secondsLeft)} left | `,
      current: current.join('; '),
    };
    if (!started) bar.start(1000, 0, payload);
    started = true;
    bar.update(Math.round(1000 * share), payload);
  };
  return {
    notice: (text) => process.stderr.write(`${text}\n`),
    run(event, snapshot) {
      draw(snapshot);
      if (event.type === 'failed') process.stderr.write(`\n${runName(event)} failed: ${firstLine(event.message)}\n`);
    },
    progress: draw,
    end: () => bar.stop(),
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
