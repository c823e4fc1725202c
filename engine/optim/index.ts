export * from './optimizer.ts';
export * from './schedule.ts';
