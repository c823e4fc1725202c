export * from './clip-gradients.ts';
export * from './dynamic-weight-average.ts';
export {
  Optimizer,
  type OptimizerGroup,
  type OptimizerOptions,
  type OptimizerParameters,
  type ParameterGroup,
  type ScheduledValues,
} from './optimizer.ts';
export * from './optimizers.ts';
export * from './one-cycle.ts';
export * from './plateau.ts';
export * from './schedule.ts';
