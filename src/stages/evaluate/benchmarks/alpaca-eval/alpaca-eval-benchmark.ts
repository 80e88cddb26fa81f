import type { Benchmark } from '../benchmark.ts';
import { readPreferences } from './read-preferences.ts';
import { scorePreferences } from './score-preferences.ts';

export const alpacaEvalBenchmark: Benchmark = {
  summary: "win rate from a judge's preferences",
  data: { file: "the judge's annotations (JSON)", example: 'annotations.json' },
  score: async ({ data }) => scorePreferences(await readPreferences(data)),
};
