// WASM plans of SSIM: strips of rows of a plane are the tasks, of the map forward and of the image backward. Each strip is
// walked block by block of columns, so that the rows a window needs stay in the first cache.
import { planWords } from '../params.ts';
import type { PlanTable, WasmFacts, WasmPlanner } from '../plan.ts';
import { ssimBlockColumns, ssimRowWords } from './codes.ts';
import { ssim, ssimBackward, type SsimParams } from './ssim.ts';

/** What the kernels read behind their parameters: columns of a block, strips of a plane and the rows of each. */
export const SsimPlan = { block: 'i32', strips: 'i32', stripRows: 'i32' } as const;

/** Rows below which a strip spends more on the rows before it than on its own. */
const MIN_STRIP_ROWS = 32;
/** Strips for each thread, so that one which is held up leaves work to the others. */
const TASKS_PER_THREAD = 4;
/** Elements worth another thread. */
const GRAIN = 4096;

/** Rows that are filtered and rows that are kept, see ssim.wasm.ts. */
const FILTERED_ROWS = 4;
const SINGLE_ROWS = 3;

const planner =
  (exportName: string, rowsOf: (p: SsimParams) => number, columnsOf: (p: SsimParams) => number, rings: number) =>
  (p: SsimParams, { threads }: WasmFacts) => {
    const rows = rowsOf(p);
    const wanted = threads === 1 ? 1 : Math.ceil((TASKS_PER_THREAD * threads) / Math.max(1, p.planes));
    const strips = Math.max(1, Math.min(wanted, Math.floor(rows / MIN_STRIP_ROWS)));
    const stripRows = Math.ceil(rows / strips);
    const block = Math.min(ssimBlockColumns, columnsOf(p));
    const constants = planWords(SsimPlan, { block, strips, stripRows });
    const grain = Math.ceil(GRAIN / Math.max(1, stripRows * columnsOf(p)));
    const ringWords = FILTERED_ROWS * ssimRowWords * p.windowH;
    const weightWords = 4 * p.windowH + 2 * p.windowW;
    const words = (FILTERED_ROWS + SINGLE_ROWS) * ssimRowWords + weightWords + rings * ringWords;
    return {
      name: 'strips',
      phases: [{ exportName, tasks: rows > 0 ? p.planes * strips : 0, grain, constants }],
      threadScratch: 4 * words,
    };
  };

export function addSsim(table: PlanTable<WasmPlanner<never>>): void {
  table.add(
    ssim,
    planner(
      'ssimStrips',
      (p) => p.outH,
      (p) => p.outW,
      1,
    ),
    'strips',
  );
  table.add(
    ssimBackward,
    planner(
      'ssimBackwardStrips',
      (p) => p.inH,
      (p) => p.inW,
      2,
    ),
    'strips',
  );
}
