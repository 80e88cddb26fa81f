import { battlesOf } from '../../benchmarks/arena/read-battles.ts';
import { scoreBattles } from '../../benchmarks/arena/score-battles.ts';
import type { SetMetric } from '../set-metric.ts';
import { fromBenchmark } from './from-benchmark.ts';

/** Chatbot Arena's ratings of models, the best first: Bradley-Terry and Elo with bootstrap intervals, and ranks with their bounds. */
export const arenaMetric: SetMetric = {
  reads: 'row',
  score: (rated, { bootstrap }) => {
    const rows = rated.map(({ response: { id, fields } }) => ({
      value: fields,
      file: `the battle ${id}`,
      path: '',
    }));
    return { metrics: fromBenchmark(scoreBattles(battlesOf(rows), bootstrap)), values: new Map() };
  },
};
