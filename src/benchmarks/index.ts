export type {
  BenchmarkName,
  BenchmarkTemplateName,
  Example,
  ExampleTemplate,
  NeededFile,
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
export { textList } from './row-fields.ts';
