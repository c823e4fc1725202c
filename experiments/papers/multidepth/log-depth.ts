// Depth as the network sees it (sections 2.4 and 2.5 of the specification): t = ln(d - dMin + 1) / ln(dMax - dMin + 1) in
// [0, 1], 0 where nothing was measured, and its n equal intervals, open on the left and closed on the right.
import { ConfigError } from '../../../engine/index.ts';

/** Label of a pixel without a class. */
export const IGNORED = 250;

/** Least depth that is written or scored, in metres: one unit of the file format. */
export const LEAST_DEPTH = 1 / 256;

export interface LogDepthOptions {
  /** Metres that become 0 and 1. */
  readonly bounds: readonly [least: number, most: number];
  /** Narrower metres between which the class intervals lie; the paper mentions such planes without their values. */
  readonly classPlanes?: readonly [least: number, most: number] | null | undefined;
}

export class LogDepth {
  readonly #least: number;
  readonly #most: number;
  readonly #scale: number;
  readonly #planes: readonly [number, number];

  /** Throws ConfigError unless 0 <= least < most. */
  constructor({ bounds: [least, most], classPlanes }: LogDepthOptions) {
    if (!(least >= 0 && least < most)) {
      throw new ConfigError('bounds of depth must rise', { operation: 'LogDepth', given: `${least}, ${most}` });
    }
    this.#least = least;
    this.#most = most;
    this.#scale = Math.log(most - least + 1);
    this.#planes = classPlanes ? [this.encode(classPlanes[0]), this.encode(classPlanes[1])] : [0, 1];
  }

  /** Metres to t. What is not beyond the lower bound becomes 0, and so counts as not measured. */
  encode(metres: number): number {
    const clipped = Math.min(this.#most, Math.max(this.#least, metres));
    return Math.log(clipped - this.#least + 1) / this.#scale;
  }

  /** t, taken into [0, 1], to metres. */
  decode(t: number): number {
    const clipped = Math.min(1, Math.max(0, t));
    return Math.max(LEAST_DEPTH, Math.exp(this.#scale * clipped) + this.#least - 1);
  }

  /** The interval of t among `classes`, or IGNORED for 0. */
  classOf(t: number, classes: number): number {
    if (t === 0) return IGNORED;
    const [low, high] = this.#planes;
    const share = (t - low) / (high - low);
    return Math.min(classes - 1, Math.max(0, Math.ceil(classes * share) - 1));
  }

  /** The middle of an interval, in metres: our reading of a class as a depth. */
  depthOfClass(index: number, classes: number): number {
    const [low, high] = this.#planes;
    return this.decode(low + ((high - low) * (index + 0.5)) / classes);
  }

  /** The edges of the intervals in metres, `classes` + 1 of them. */
  edges(classes: number): number[] {
    const [low, high] = this.#planes;
    return Array.from({ length: classes + 1 }, (_, i) => this.decode(low + ((high - low) * i) / classes));
  }

  /** Depths that a classifier without mistakes would give for a map of metres; 0 where there is none. */
  quantized(metres: ArrayLike<number>, classes: number): Float64Array {
    return Float64Array.from(metres, (d) => {
      const t = d > 0 ? this.encode(d) : 0;
      return t === 0 ? 0 : this.depthOfClass(this.classOf(t, classes), classes);
    });
  }
}
