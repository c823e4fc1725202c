// The peer's end of the benchmark's conversation: one JSON object per line on stdin and stdout. The first line says who is
// there, `{"name", "version", "details"}` or `{"absent"}`; then each request has one answer:
//   {"prepare": CASE, "shape": {...}}   {"results": [{"rms", "samples"}, ...]} or {"absent": reason}; warms up
//   {"measure": SECONDS}                {"times": [seconds, ...]}: repetitions until that much time has passed
//   {"once": CASE, "shape": {...}}      {"once": {...}} when one repetition has ended in a fresh process (one-step.ts)
//   {"memory": REPETITIONS}             {"memory": {"baseline", "peak"}}: bytes of the process before that one, and the most since
// wgrad's own side measures with the same functions.
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { createInterface } from 'node:readline';

const SAMPLES = 16;
/** Work shorter than this is queued several times before it is waited for. */
const SHORTEST_MEASURED_MS = 10;
const LARGEST_BATCH = 64;

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** `count` numbers of [-1, 1), a fixed function of (seed, index): every peer computes on the same values. */
export function fixedValues(count, seed) {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let h = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
    values[i] = ((h ^ (h >>> 15)) >>> 8) / 2 ** 23 - 1;
  }
  return values;
}

/** What is compared of a result: its root mean square and a few values. */
export function summarize(values) {
  const sum = values.reduce((total, value) => total + value * value, 0);
  const samples = Array.from({ length: SAMPLES }, (_, i) => values[Math.floor(((i + 0.5) * values.length) / SAMPLES)]);
  return { rms: Math.sqrt(sum / values.length), samples };
}

/** A convolution with everything said; what is absent is as shapes.ts says. */
export function completed(shape) {
  const { kernel, stride = 1, dilation = 1, groups = 1 } = shape;
  const { padding = Math.floor((dilation * (kernel - 1)) / 2) } = shape;
  const outOf = (side) => Math.floor((side + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
  return { ...shape, stride, dilation, groups, padding, outH: outOf(shape.height), outW: outOf(shape.width) };
}

/** Image, weight and cotangent of a convolution: shapes and seeds. */
export function operandsOf({ batch, inChannels, height, width, outChannels, kernel, groups, outH, outW }) {
  return {
    image: { shape: [batch, inChannels, height, width], seed: 1 },
    weight: { shape: [outChannels, inChannels / groups, kernel, kernel], seed: 2 },
    cotangent: { shape: [batch, outChannels, outH, outW], seed: 3 },
  };
}

export const sizeOf = (shape) => shape.reduce((product, n) => product * n, 1);

/** Reorders the axes of a row-major array, as NumPy's transpose does. */
export function permute(values, shape, axes) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1));
  const sizes = axes.map((axis) => shape[axis]);
  const steps = axes.map((axis) => strides[axis]);
  const result = new Float32Array(values.length);
  const index = sizes.map(() => 0);
  for (let at = 0, from = 0; at < result.length; at++) {
    result[at] = values[from];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < sizes[axis]) break;
      from -= index[axis] * steps[axis];
      index[axis] = 0;
    }
  }
  return result;
}

/**
 * Seconds of each repetition, for at least `seconds` in all. `launch` may return before its work is done, or a promise that
 * must be kept before the next one; `finish` waits for all that was launched.
 */
export async function repeat({ launch, finish = async () => undefined }, seconds, shortestMs = SHORTEST_MEASURED_MS) {
  const times = [];
  const started = performance.now();
  let batch = 1;
  while (times.length === 0 || performance.now() - started < 1000 * seconds) {
    const begin = performance.now();
    for (let i = 0; i < batch; i++) {
      const pending = launch();
      if (pending) await pending;
    }
    await finish();
    const passed = performance.now() - begin;
    times.push(passed / batch / 1000);
    if (passed < shortestMs) batch = Math.min(2 * batch, LARGEST_BATCH);
  }
  return times;
}

/** What to say of an engine that does not start. */
function reasonOf(error) {
  if (/MODULE_NOT_FOUND/.test(error?.code)) return 'not installed: npm ci --prefix bench/peers';
  return String(error?.message ?? error).split('\n')[0];
}

/**
 * Serves requests until stdin ends. `open` returns `{name, version, details, cases}`; `cases[name](shape)` returns
 * `{launch, finish, results}`: what `repeat` takes, and the last results as flat arrays in PyTorch's layout.
 */
export async function serve(open) {
  let peer;
  try {
    peer = await open();
  } catch (error) {
    say({ absent: reasonOf(error) });
    process.exit(0);
  }
  const { cases, ...facts } = peer;
  say(facts);
  let prepared;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    try {
      if (request.prepare === undefined) {
        say({ times: await repeat(prepared, request.measure) });
      } else if (!cases[request.prepare]) {
        say({ absent: `${facts.name} does not have it` });
      } else {
        prepared = await cases[request.prepare](request.shape);
        await repeat(prepared, 0);
        say({ results: (await prepared.results()).map(summarize) });
      }
    } catch (error) {
      say({ absent: reasonOf(error) });
    }
  }
  process.exit(0);
}
