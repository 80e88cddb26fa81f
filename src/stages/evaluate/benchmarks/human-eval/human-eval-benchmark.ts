import type { Benchmark } from '../benchmark.ts';
import { readResults } from './read-results.ts';
import { scorePasses } from './score-passes.ts';

export const humanEvalBenchmark: Benchmark = {
  summary: 'pass@1, 10 and 100 of test results; no code runs',
  data: { file: 'the problems (JSONL, may be gzipped)', example: 'HumanEval.jsonl.gz' },
  predictions: { file: 'the results of their tests (JSONL)', example: 'samples.jsonl_results.jsonl' },
  score: async ({ data, predictions }) =>
    scorePasses(await readResults({ problems: data, results: predictions })),
};
