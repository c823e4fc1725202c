export * from './clip-gradients.ts';
export * from './dynamic-weight-average.ts';
export * from './optimizer.ts';
export * from './schedule.ts';
