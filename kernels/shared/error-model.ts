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
// a tile over all channels, an output of a tile is off by at most k 2^-23 |w| |d|, with a root mean square k of 0.2 and at most 2 to 6,
// so what has to be held is |w| |d| <= K S for every window. The guards in ../conv2d do that without a look at any product.
// Let D and Q be the sums of the magnitudes and of the squares of a window's n elements, and r the root mean square of a filter's taps.
//
// - Against taps that meet the wrong elements: let m be the number of the filter's weak taps, below r / 256. The elements that
//   these meet have magnitudes of at most sqrt(m Q) by Cauchy and Schwarz, so with m <= 9/16 E, E = D^2 / Q being the number of
//   elements that count, those that others meet keep a quarter of D, and S >= r D / 1024 whatever the order of the taps.
// - Against few elements that by chance meet small taps only: with taps of a density of 0.8 near zero, as normal ones have, S is below
//   a small part p of r D with a probability of about (2 p)^E, and p = k sqrt(n / s) / 100 is where the bound breaks,
//   s = D^2 / |d|^2. So the guard wants E log2(10^4 s / n) >= 10. That number is measured: among 40 million outputs of sparse, dense
//   and heavy-tailed data without a guard the errors past the bound end at 8, and from 8 on none was above two thirds of it.
// - Against what a tile has beyond the window: s times the evenness of the filter, (sum of magnitudes)^2 / (n sum of squares), is at
//   least n / 512, and no evenness below 1/8.
//
// Of elements and taps that know nothing of each other a typical tap meets a typical element, and S is near the mean magnitude of
// the taps times D. Tiles and filters that do not pass are left to the plain loop, as are those with no finite squares or
// squares near the ends of the range.
//
// A weight of a weight gradient is a sum over all places. Let E be that of a channel's elements, but two thirds of those that are not
// zero at most (of sparse normal data it is that, of equal elements it would be all), and p the larger of the parts E / places of x
// and of g. If channels are independent, all elements of the other meet zeros with a probability of about (1 - p)^E = e^(-E (p +
// p^2/2 + p^3/3 + ...)). The guard wants these three terms times E to be at least 12 for every pair; the number of elements being
// half again as large as E on both sides, at least, that makes e^-27. (Measured as above: of 20 million outputs of independent
// elements none is past the bound from 10.1 on. Where zeros come in rows of four, 4 of a million between 11.3 and 13.5 are, and none
// of 2.8 million above.) Pairs of channels of which one is too sparse or too uneven for the other, however small it is, get plain
// sums. Two limits remain: zeros in clusters at the very threshold, and x and g that avoid each other by design, such as two masks of
// normal data without a common pixel.

/** Units of 2^-23 S by which an output may be off. Of normal data, 3 to 8; plain sums, below 3. */
export const ERROR_FACTOR = 128;

/** By how much an output may be off that is a sum of `terms` terms with absolute values that sum up to `magnitude`. */
export const errorBound = (magnitude: number, terms: number): number =>
  ERROR_FACTOR * 2 ** -23 * magnitude + terms * 2 ** -126;
