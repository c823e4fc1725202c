// What a decoder needs of a backbone: feature maps at five scales, by name.
import type { nn, Tensor } from '../../engine/index.ts';

/** One value for each scale of a backbone, named by the share of the picture's sides; `mid` is 1/32. */
export interface Scales<T> {
  readonly half: T;
  readonly quarter: T;
  readonly eighth: T;
  readonly sixteenth: T;
  readonly mid: T;
}

/** Feature maps (N, C, H / s, W / s) of a picture (N, 3, H, W), s = 2, 4, 8, 16 and 32. */
export type Taps = Scales<Tensor>;

/** A network without a classifier that gives its feature maps at five scales. */
export interface Backbone extends nn.Module {
  /** Channels C of each feature map. */
  readonly widths: Scales<number>;
  /** Pictures (N, 3, H, W) in the scaling that the weights expect (see `inputScaling`), H and W multiples of 32. */
  taps(x: Tensor): Taps;
}
