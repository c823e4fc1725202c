// The memory of a process: what it holds now, and the most it has held since. On Linux the resident set, of which the kernel
// keeps the largest value (VmHWM) and starts it anew on request; elsewhere the largest of the process's life.
import { readFileSync, writeFileSync } from 'node:fs';

/** Writing this to clear_refs starts VmHWM anew at what is held now. */
const RESET_PEAK = '5';

export interface MemoryUse {
  /** Bytes held at the beginning, and the most since then. */
  readonly baseline: number;
  readonly peak: number;
  /** False where the peak may be older than the beginning. */
  readonly isReset: boolean;
}

/** Bytes of a line of /proc/self/status, or undefined where there is none. */
function statusBytes(field: string): number | undefined {
  try {
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : 1024 * Number(kibibytes);
  } catch {
    return undefined;
  }
}

/** Begins when it is made. */
export class ProcessMemory {
  readonly #baseline = process.memoryUsage.rss();
  readonly #isReset: boolean;

  constructor() {
    let isReset = true;
    try {
      writeFileSync('/proc/self/clear_refs', RESET_PEAK);
    } catch {
      isReset = false;
    }
    this.#isReset = isReset;
  }

  used(): MemoryUse {
    const peak = statusBytes('VmHWM') ?? 1024 * process.resourceUsage().maxRSS;
    return { baseline: this.#baseline, peak, isReset: this.#isReset };
  }
}
