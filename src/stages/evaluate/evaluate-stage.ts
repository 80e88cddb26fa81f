import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import type { ConfigProblem } from '../../runtime/index.ts';
import { dataStage, declareStage } from '../declare-stage.ts';

export const evaluateStage = declareStage<EvaluateConfig>({
  name: 'evaluate',
  version: 2,
  ports: () => ({
    inputs: {
      responses: { accepts: ['responses', 'records'], required: true, parts: 'one' },
      references: { accepts: ['records'], required: false, parts: 'one' },
      ratings: { accepts: ['records'], required: false, parts: 'one' },
      second_judge: { accepts: ['responses', 'records'], required: false, parts: 'one' },
    },
    outputs: { scores: { type: 'scores' } },
  }),
  check: checkJudgeScore,
  recordsPort: 'responses',
  ...dataStage,
  load: () => import('./run-evaluate.ts'),
});

/** Refuses a pattern for a judge's marks that is not a regular expression or has no group, and an empty scale. */
export function checkJudgeScore({ judge_score: scale }: EvaluateConfig): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (scale.minimum >= scale.maximum)
    problems.push({
      pointer: '/judge_score/minimum',
      code: 'empty-scale',
      message: `the lowest mark is ${scale.minimum} and the highest ${scale.maximum}`,
    });
  const problem = scale.pattern === undefined ? undefined : patternProblem(scale.pattern);
  if (problem !== undefined)
    problems.push({
      pointer: '/judge_score/pattern',
      code: 'bad-pattern',
      message: problem,
      help: 'for example "\\\\[\\\\[(\\\\d+)\\\\]\\\\]" reads the mark in [[7]]',
    });
  return problems;
}

function patternProblem(pattern: string): string | undefined {
  try {
    const groups = (new RegExp(`${pattern}|`).exec('')?.length ?? 1) - 1;
    return groups === 0 ? 'the pattern has no group, ( ), around the mark' : undefined;
  } catch (error) {
    return `the pattern is no regular expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}
