// Steps in fresh processes, ours and PyTorch's in turn: from the start of the process to the end of its first step, and the most
// memory that the process then needs above what it held before that step, with the network and its data in place.
import { fileURLToPath } from 'node:url';
import type { CaseShape } from '../peers/protocol.mjs';
import { AbsentError } from '../contestants/contestant.ts';
import type { StepFacts } from '../report/document.ts';
import type { MemoryUse } from '../measure/memory.ts';
import { type Conversation, converse, converseFirst } from '../contestants/peer.ts';
import { type BenchDevice, peersFolder, pythons } from '../contestants/roster.ts';
import { median } from '../measure/statistics.ts';

/** Starting a process again tells how much its start varies. */
const STARTS = 3;
/** Steps after the first one: by then optimizers have their state and pools their buffers. */
const MORE_STEPS = 3;
const LIMIT_MS = 120_000;

interface Fresh {
  readonly seconds: number;
  readonly memory: MemoryUse & {
    readonly peakDeviceBytes?: number;
    readonly launches?: number;
    readonly submits?: number;
  };
  readonly liveBytes?: number;
}

type Start = () => Promise<Conversation>;

async function freshStep(start: Start, benchmark: string, shape: CaseShape): Promise<Fresh> {
  const started = performance.now();
  const conversation = await start();
  try {
    const { once } = await conversation.ask({ once: benchmark, shape });
    const seconds = (performance.now() - started) / 1000;
    const { memory } = await conversation.ask({ memory: MORE_STEPS });
    return { seconds, memory: memory as Fresh['memory'], ...(once as { liveBytes?: number }) };
  } finally {
    conversation.close();
  }
}

/** Beside this program in dist. */
const ourProgram = fileURLToPath(
  new URL(import.meta.url.replace(/\/dist\/.*$/, '/dist/bench/contestants/one-step.js')),
);

/** Measures both, start after start. PyTorch is left out where `peers` does not name it. */
export async function freshSteps(
  { name, title, benchmark, shape }: { name: string; title: string; benchmark: string; shape: CaseShape },
  { device, threads, peers }: { device: BenchDevice; threads: number; peers: readonly string[] },
): Promise<StepFacts> {
  const starts: [string, Start][] = [
    ['wgrad', () => converse([process.execPath, ourProgram, device, String(threads)], LIMIT_MS)],
  ];
  if (peers.includes('pytorch')) {
    const command = (python: string): string[] => [python, `${peersFolder}torch_peer.py`, String(threads)];
    starts.push(['pytorch', () => converseFirst(pythons.map(command), LIMIT_MS)]);
  }
  const seen = new Map<string, Fresh[] | string>(starts.map(([who]) => [who, []]));
  for (let round = 0; round < STARTS; round++) {
    for (const [who, start] of starts) {
      const before = seen.get(who)!;
      if (typeof before === 'string') continue;
      try {
        before.push(await freshStep(start, benchmark, shape));
      } catch (error) {
        if (!(error instanceof AbsentError)) throw error;
        seen.set(who, error.message);
      }
    }
  }
  const ours = seen.get('wgrad')!;
  const first = typeof ours === 'string' ? undefined : ours[0]!;
  const rows = [...seen];
  return {
    name,
    title,
    launches: first?.memory.launches ?? 0,
    submits: first?.memory.submits ?? 0,
    deviceBytes: (first?.memory.peakDeviceBytes ?? 0) - (first?.liveBytes ?? 0),
    memory: rows.map(([who, all]) => {
      if (typeof all === 'string') return { name: who, absent: all };
      const above = all.map(({ memory: { peak, baseline } }) => peak - baseline);
      const { isReset } = all[0]!.memory;
      return { name: who, bytes: median(above), min: Math.min(...above), max: Math.max(...above), isReset };
    }),
    firstStep: rows.map(([who, all]) => {
      if (typeof all === 'string') return { name: who, absent: all };
      const seconds = all.map((each) => each.seconds);
      return { name: who, median: median(seconds), min: Math.min(...seconds), max: Math.max(...seconds) };
    }),
  };
}
