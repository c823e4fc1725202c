// One run in this process: its device, its progress, its checkpoints, its record on disk.
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createDevice, type Device, type Profile, setDefaultDevice } from '../../engine/index.ts';
import type { Kernel } from '../../kernels/kernel.ts';
import { paperNamed } from '../papers/index.ts';
import type { Exchange } from '../parallel/exchange.ts';
import { Parts } from '../parallel/parts.ts';
import { neededFiles } from './needs.ts';
import type { DataFacts } from './paper.ts';
import { RunProfiler } from './profile.ts';
import { runNamed, settingsOf } from './runs.ts';
import { checksumsOf, type Notice, type RunRecord, type RunRequest, RunStore } from './store.ts';

export interface ExecuteOptions {
  readonly out: string;
  /** Default: `cache` in `out`. */
  readonly cache?: string | undefined;
  readonly dataFacts: DataFacts;
  /** Threads of the wasm device. */
  readonly threads: number;
  /** The way to the other replicas of the run, where it is made of parts. Only the first replica writes and reports. */
  readonly exchange?: Exchange | undefined;
  /** Run training steps as they are, without `compile`. */
  readonly eager?: boolean | undefined;
  /** false: without vectors of 256 bits. */
  readonly wide?: boolean | undefined;
  /** Told about four times a second. */
  readonly report: (done: number, total: number) => void;
  /** Told of what a user should know: a damaged checkpoint and what follows from it. */
  readonly notice: Notice;
  /** Profiles some steps, and is given the profile as soon as they are done. */
  readonly profile?: ((profile: Profile) => void) | undefined;
}

/** Milliseconds between two reports, and between two looks at other events. */
const REPORT_MS = 250;

const devices = new Map<string, Promise<Device>>();

/** The device of this process, made once. */
function deviceOf(request: RunRequest, { threads, wide }: Pick<ExecuteOptions, 'threads' | 'wide'>): Promise<Device> {
  const { device: name, tuning } = request;
  const key = `${name} ${threads} ${tuning?.checksum}`;
  const device = devices.get(key) ?? createDevice(name, { threads, wide, tuning });
  devices.set(key, device);
  return device;
}

/** Trains one run to its end and stores it. Picks up its checkpoint if there is one. */
export async function execute(request: RunRequest, options: ExecuteOptions): Promise<RunRecord> {
  const paper = paperNamed(request.paper);
  const store = new RunStore(options.out, request, paper, options.dataFacts);
  const needed = await neededFiles(request);
  const device = await deviceOf(request, options);
  setDefaultDevice(device);
  const settings = settingsOf(runNamed(paper, request.run), request.preset, request.set);
  const plans = new Map<string, Set<string>>();
  let flops = 0;
  device.resetPeakBytes();
  device.observer = {
    before(kernel, params, plan) {
      flops += (kernel as Kernel).flops(params);
      const known = plans.get(kernel.name);
      if (known) known.add(plan);
      else plans.set(kernel.name, new Set([plan]));
    },
  };
  const { exchange } = options;
  const parts = exchange && new Parts(exchange);
  const isFirst = (exchange?.replica ?? 0) === 0;
  const profiler = options.profile && new RunProfiler(device, options.profile);
  const started = performance.now();
  let last = started;
  try {
    const { diagnostics, ...result } = await paper.train({
      ...request,
      settings,
      device,
      eager: options.eager,
      cache: options.cache ?? path.join(options.out, 'cache'),
      needed,
      parts,
      async resume() {
        const checkpoint = await store.resume(options.notice);
        // The first replica writes no other before all have read this one.
        await parts?.meet();
        return checkpoint;
      },
      async save(checkpoint) {
        if (isFirst) await store.save(checkpoint);
        await parts?.meet();
        profiler?.skip();
      },
      async keep(name, state, metadata) {
        if (isFirst) await store.keep(name, state, metadata);
      },
      async progress(done, total) {
        await profiler?.progress(done);
        if (performance.now() - last >= REPORT_MS || done >= total) {
          await device.synchronize();
          options.report(done, total);
          await turn();
          last = performance.now();
        }
        profiler?.skip();
      },
    });
    await profiler?.end();
    const record: RunRecord = {
      paper: request.paper,
      run: request.run,
      seed: request.seed,
      preset: request.preset,
      configuration: settings,
      data: options.dataFacts,
      device: {
        name: device.name,
        description: device.description,
        facts: device.facts,
        plans: Object.fromEntries([...plans].sort().map(([kernel, names]) => [kernel, [...names].sort()])),
      },
      seconds: (performance.now() - started) / 1000,
      flops,
      peakBytes: device.statistics().peakBytes,
      ...(request.needs ? { needs: checksumsOf(request.needs) } : {}),
      ...((exchange?.replicas ?? 1) > 1 ? { replicas: exchange!.replicas } : {}),
      ...(diagnostics ? { diagnostics } : {}),
      result,
    };
    if (isFirst) await store.write(record);
    return record;
  } finally {
    profiler?.cancel();
    device.observer = undefined;
  }
}
