// The kinds of numbers that settings are made of, for the schemas of papers.
import { z } from 'zod';

/** How many of something there must be: at least one. */
export const count = z.int().positive();
/** How many of something there may be. */
export const countOrNone = z.int().nonnegative();
/** A rate, a width, a length. */
export const positive = z.number().positive();
/** A weight, a penalty. */
export const notNegative = z.number().nonnegative();
/** A share of something, without the whole: momentum. */
export const share = z.number().min(0).lt(1);
/** So many of something, all of one kind. */
export const listOf = <T extends z.ZodType>(item: T) => z.array(item).readonly();
/** Two of something, such as the lower and the upper bound. */
export const pairOf = <T extends z.ZodType>(item: T) => z.tuple([item, item]).readonly();
