// Initial values of parameters, drawn from the seed of `manualSeed` and the order of creation, so that the same seed gives
// the same network on every device.
import { takes } from '../call-check.ts';
import { numberWithin } from '../checks.ts';
import { nextStream } from '../seed.ts';
import { checkShape, type Shape, sizeOf } from '../shape.ts';
import { number, shape as shapeParameter } from '../signature.ts';

const takesUniform = takes('uniformInit', { shape: shapeParameter, bound: number });
const takesNormal = takes('normalInit', { shape: shapeParameter, deviation: number });

/** Uniform on [-bound, bound). */
export function uniformInit(...args: [shape: Shape, bound: number]): Float32Array {
  const [shape, bound] = takesUniform(args);
  checkShape('uniformInit', shape);
  numberWithin('uniformInit', 'bound', bound, { from: 0 });
  return nextStream('initialization')
    .uniformArray(sizeOf(shape))
    .map((u) => (2 * u - 1) * bound);
}

/** Normal with mean 0 and the given standard deviation. */
export function normalInit(...args: [shape: Shape, deviation: number]): Float32Array {
  const [shape, deviation] = takesNormal(args);
  checkShape('normalInit', shape);
  numberWithin('normalInit', 'deviation', deviation, { from: 0 });
  return nextStream('initialization')
    .normalArray(sizeOf(shape))
    .map((z) => z * deviation);
}

const takesFanIn = takes('fanIn', { shape: shapeParameter });
const takesFanOut = takes('fanOut', { shape: shapeParameter });
const takesDefault = takes('defaultWeight', { shape: shapeParameter });
const takesKaiming = takes('kaimingNormal', { shape: shapeParameter });

/** Inputs that one output sums over: torch's fan-in of a weight (O, I, ...). */
export function fanIn(...args: [shape: Shape]): number {
  const [shape] = takesFanIn(args);
  return sizeOf(shape.slice(1));
}

/** Outputs that one input reaches: torch's fan-out. */
export function fanOut(...args: [shape: Shape]): number {
  const [shape] = takesFanOut(args);
  return shape[0]! * sizeOf(shape.slice(2));
}

/** torch's default for linear and convolution weights: uniform in +-1 / sqrt(fan-in). */
export function defaultWeight(...args: [shape: Shape]): Float32Array {
  const [shape] = takesDefault(args);
  return uniformInit(shape, 1 / Math.sqrt(Math.max(1, fanIn(shape))));
}

/** He et al. 2015 for relu, by fan-out: normal with deviation sqrt(2 / fan-out). */
export function kaimingNormal(...args: [shape: Shape]): Float32Array {
  const [shape] = takesKaiming(args);
  return normalInit(shape, Math.sqrt(2 / fanOut(shape)));
}

const takesGlorotUniform = takes('glorotUniform', { shape: shapeParameter });
const takesHeNormal = takes('heNormal', { shape: shapeParameter });

/** Glorot and Bengio 2010: uniform in +-sqrt(6 / (fan-in + fan-out)); torch's xavier_uniform_, and the default of Keras. */
export function glorotUniform(...args: [shape: Shape]): Float32Array {
  const [shape] = takesGlorotUniform(args);
  return uniformInit(shape, Math.sqrt(6 / Math.max(1, fanIn(shape) + fanOut(shape))));
}

/** Deviation of a standard normal that is cut off at +-2. */
const CUT_DEVIATION = 0.8796256610342398;

/**
 * He et al. 2015 as Keras has it: normal cut off at two deviations, with deviation sqrt(2 / fan-in) after the cut. torch's
 * kaiming_normal_ does not cut.
 */
export function heNormal(...args: [shape: Shape]): Float32Array {
  const [shape] = takesHeNormal(args);
  checkShape('heNormal', shape);
  const scale = Math.sqrt(2 / Math.max(1, fanIn(shape))) / CUT_DEVIATION;
  const stream = nextStream('initialization');
  return stream.normalArray(sizeOf(shape)).map((z) => {
    while (Math.abs(z) > 2) z = stream.normal();
    return z * scale;
  });
}
