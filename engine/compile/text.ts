// A recorded step for people and for tools: what is launched, with which plan, on which buffers, and what memory that takes.
import { costOf } from '../../kernels/kernel.ts';
import type { Device } from '../devices/device.ts';
import type { Bindings } from './bindings.ts';
import { poolBytes } from './memory.ts';
import type { Program } from './program.ts';

/** One launch of a program. */
export interface LaunchText {
  readonly operation: string;
  readonly kernel: string;
  /** The plan; undefined until the program has been replayed. */
  readonly plan: string | undefined;
  /** Buffers by number with the kernel's own shapes, such as `#12 [8, 64, 32, 32]`. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Bytes that it moves at least, and its arithmetic. */
  readonly bytes: number;
  readonly flops: number;
}

/** Bytes of the memory that a program needs beside parameters and inputs. */
export interface MemoryText {
  /** Of the plan, for what is made and released within the step. */
  readonly planned: number;
  /** The most bytes of it that live at once: no plan can need less. */
  readonly lowerBound: number;
  /** What the same buffers take of a pool that never gives a buffer of one size for another, as in eager steps. */
  readonly pool: number;
  /** Of what outlives the step or is written by the host, beside the plan. */
  readonly lasting: number;
}

/** A program as plain data. */
export interface ProgramText {
  readonly device: string;
  readonly launches: readonly LaunchText[];
  /** Operations and backward passes, and how many of them are not run again. */
  readonly calls: number;
  readonly skipped: number;
  readonly writes: number;
  readonly reads: number;
  readonly memory: MemoryText;
}

/** Describes a program. */
export function textOf(device: Device, program: Program, bindings: Bindings): ProgramText {
  const named = (slots: readonly number[], shapes: readonly { shape: readonly number[] }[]): string[] =>
    slots.map((slot, i) => `#${slot} [${shapes[i]!.shape.join(', ')}]`);
  const launches: LaunchText[] = [];
  let [calls, skipped, writes] = [0, 0, 0];
  for (const call of program.calls) {
    if (call.kind === 'write') writes++;
    if (call.kind === 'apply' || call.kind === 'backward') {
      calls++;
      if (call.skips) skipped++;
    }
    if (call.kind !== 'launch') continue;
    const { kernel, operation, params, prepared, inputs, outputs } = call;
    launches.push({
      operation,
      kernel: kernel.name,
      plan: prepared?.plan,
      inputs: named(inputs, kernel.inputs(params as never)),
      outputs: named(outputs, kernel.outputs(params as never)),
      ...costOf(kernel, params as never),
    });
  }
  const { plan, lifetimes, lastingBytes } = bindings;
  const { peak: planned, lowerBound } = plan;
  const memory = { planned, lowerBound, pool: poolBytes(lifetimes), lasting: lastingBytes };
  return { device: device.description, launches, calls, skipped, writes, reads: program.reads.length, memory };
}
