import { UserError } from '../../../user-error.ts';
import type { Attempts } from '../benchmarks/human-eval/read-results.ts';
import { passAtK } from '../benchmarks/human-eval/score-passes.ts';
import { plainMean } from '../statistics/plain-mean.ts';
import type { RatedResponse } from './metric.ts';
import type { SetMetric } from './set-metric.ts';

/** The unbiased estimate that one of k samples passes (Chen et al. 2021), as the mean over problems. */
export const passAtKMetric: SetMetric = {
  reads: 'program',
  score: (rated, { pass_at_k: { k: sizes, problem_field: field } }) => {
    const problems = [...attemptsByProblem(rated, field).values()];
    const fewest = Math.min(...problems.map(({ samples }) => samples));
    const metrics = sizes.map((k) => {
      if (k > fewest) throw tooFewSamples(k, fewest);
      const { mean: value, standardError } = plainMean(problems.map((problem) => passAtK(problem, k)));
      return {
        metric: `pass@${k}`,
        value,
        higher_is_better: true,
        count: problems.length,
        ...(standardError === undefined ? {} : { standard_error: standardError }),
      };
    });
    return { metrics, values: new Map(rated.map(({ response }) => [response.id, response.passed ? 1 : 0])) };
  },
};

function attemptsByProblem(rated: readonly RatedResponse[], field: string): ReadonlyMap<string, Attempts> {
  const attempts = new Map<string, Attempts>();
  for (const { response } of rated) {
    const problem = response.fields[field];
    if (typeof problem !== 'string') throw withoutProblem(response.id, field);
    const { samples, passed } = attempts.get(problem) ?? { samples: 0, passed: 0 };
    attempts.set(problem, { samples: samples + 1, passed: passed + (response.passed ? 1 : 0) });
  }
  return attempts;
}

const withoutProblem = (id: string, field: string) =>
  new UserError({
    code: 'missing-field',
    message: `the response ${id} does not say which problem it is for: its row has no text in \`${field}\``,
    help: '`pass_at_k.problem_field` names the field',
  });

const tooFewSamples = (k: number, fewest: number) =>
  new UserError({
    code: 'too-few-samples',
    message: `pass@${k} cannot be taken: a problem has only ${fewest} ${fewest === 1 ? 'sample' : 'samples'}`,
    help: `set \`samples: ${k}\` in the generate stage that they come from, or take a smaller \`k\``,
  });
