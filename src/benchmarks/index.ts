export type {
  BenchmarkName,
  BenchmarkTemplateName,
  Example,
  ExampleTemplate,
  NeededFile,
  ReadRow,
  Scorer,
} from './benchmark.ts';
export type { BenchmarkFile } from './benchmark-file.ts';
export type { BenchmarkScore, BenchmarkScores } from './benchmark-scores.ts';
export {
  benchmarkMetrics,
  benchmarks,
  benchmarkTemplate,
  examplesField,
  readBenchmarkRows,
  scorers,
} from './benchmarks.ts';
export { openTasks } from './lm-eval/read-tasks.ts';
export { textList } from './row-fields.ts';
