// Sums and means of lists of numbers, added from the first to the last.
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** NaN of no values. */
export const mean = (values: readonly number[]): number => sum(values) / values.length;
