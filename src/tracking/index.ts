export { type FollowingTool, RunFollower } from './follow-run.ts';
export type { LiveRun } from './live-figures.ts';
export { Mlflow } from './mlflow/mlflow.ts';
export { mlflowServer } from './mlflow/mlflow-client.ts';
export { LiveTensorboard, writeTensorboard } from './tensorboard/tensorboard.ts';
export { trackedExperiments } from './tracked-experiment.ts';
