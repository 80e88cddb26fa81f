export { alpacaEvalMetric } from './alpaca-eval.ts';
export { arenaMetric } from './arena/arena.ts';
export { bbhMatch } from './bbh.ts';
export type { Benchmark, Example, ExampleTemplate, Needed } from './benchmark.ts';
export type { BenchmarkFile } from './benchmark-file.ts';
export { type BenchmarkName, benchmarkReaders } from './benchmark-readers.ts';
export type { BenchmarkScore, BenchmarkScores, Remark } from './benchmark-scores.ts';
export {
  type BenchmarkTemplateName,
  benchmarkTemplates,
  isBenchmarkTemplate,
} from './benchmark-templates.ts';
export { benchmarks } from './benchmarks.ts';
export { bigBenchMatch } from './big-bench.ts';
export { passAtKMetric } from './human-eval.ts';
export { modelGradedMetric } from './model-graded.ts';
export { openaiEvalsMatch } from './openai-evals/openai-evals.ts';
export { textList } from './row-lists.ts';
export { squadMetric } from './squad.ts';
export { glueMetric, superGlueMetric } from './task-metrics.ts';
export { triviaQaMetric } from './trivia-qa.ts';
