import type { Benchmark } from '../benchmark.ts';
import { readBattles } from './read-battles.ts';
import { scoreBattles } from './score-battles.ts';

export const arenaBenchmark: Benchmark = {
  summary: 'Bradley-Terry and Elo ratings of models',
  data: { file: 'the battles in their order (JSON or JSONL)', example: 'battles.json' },
  score: async ({ data, resampling }) => scoreBattles(await readBattles(data), resampling),
};
