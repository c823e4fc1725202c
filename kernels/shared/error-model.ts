// The error model of the sums that kernels make, for every plan, every device in float32 and every kind of data. With S the
// sum of the absolute values of the terms that an output is made of, a convolution's window with all its channels for example,
//
//   |output - exact| <= ERROR_FACTOR 2^-23 S + terms 2^-126
//
// The last part is what denormal terms lose, which a GPU may flush to zero. Sums of whole numbers and of other terms with few
// bits, such as masks, are exact where no partial sum needs more than 24 bits.
//
// Plain sums keep this by adding short runs that are added up in turn. Winograd's algorithm does not by itself: its errors follow
// the largest element of a *tile* and the largest tap of a filter, not the window. With |.| the 2-norms of a filter and of
// a tile over all channels, an output of a tile is off by at most k 2^-23 |w| |d|, k being 1 or 2 in practice, so what has to be
// held is |w| |d| <= K S for every window. winograd-guard.as.ts does that without a look at any product. Let D and Q be the
// sums of the magnitudes and of the squares of a window's elements, r the root mean square of a filter's taps, and n the number of
// its weak taps, below r / 128. The elements that weak taps meet have magnitudes of at most sqrt(n Q) by Cauchy and
// Schwarz, so with n <= 9/16 D^2 / Q those that others meet keep a quarter of D, and S >= r D / 512 whatever the order of the
// taps. The guard also wants D^2 / |d|^2 >= 1/4 at least, and since |w|^2 = r^2 (9 channels), |w| |d| <= 512 sqrt(9 channels) 2 S.
// That is the worst case, weak taps against all that is large; of elements and taps that know nothing of each other a typical tap
// meets a typical element, and S is near the mean magnitude of the taps times D: the factor 512 falls to about 1. Tiles and
// filters that do not pass are left to the plain loop, as are those with no finite squares or squares near the ends of the range.
//
// A weight of a weight gradient is a sum over all places. There the guard wants, with E = (sum of magnitudes)^2 / (sum of
// squares) the number of a channel's elements that count, E(x) E(g) / places >= 1, and >= 8 for the means of E over the channels: so
// many terms of the sum count if x and g are independent of each other. (Of channels with thousands of elements the sum of magnitudes
// is estimated from half of them, less the root of the sum of squares: one huge element must not count twice.) Two limits remain.
// x and g that avoid each other by design, such as two masks without a common pixel, are beyond it. So are minor channels, with squares
// of less than 1/16 of the mean of all, such as nearly dead ones: their gradients keep the error of Winograd's algorithm, relative to
// the norms of x and g in the tiles where they are not zero.

/** Units of 2^-23 S by which an output may be off. Of normal data, 3 to 8; plain sums, below 3. */
export const ERROR_FACTOR = 128;

/** By how much an output may be off that is a sum of `terms` terms with absolute values that sum up to `magnitude`. */
export const errorBound = (magnitude: number, terms: number): number =>
  ERROR_FACTOR * 2 ** -23 * magnitude + terms * 2 ** -126;
