import { UserError } from '../core/index.ts';
import type { EvaluateConfig } from '../generated/evaluate-config.ts';
import {
  chosenIndex,
  chosenText,
  grouped,
  plainMean,
  type Score,
  type ScoredResponse,
  type SetScores,
} from '../metrics/index.ts';
import { scoresOf } from './benchmark-scores.ts';
import { type LabelTask, scoreLabels } from './labels.ts';

interface SetScorer {
  /** Sets of the same task count once in the mean. */
  readonly task: unknown;
  readonly score: (responses: readonly ScoredResponse[]) => readonly Score[];
  /** Whether a figure counts in the mean; all do if absent. */
  readonly counts?: (metric: string) => boolean;
}

interface Collection {
  /** Of the metric. */
  readonly name: string;
  /** For the responses whose rows have this `task`; undefined if the collection does not have it. */
  readonly scorerOf: (set: string) => SetScorer | undefined;
}

/** Each task's own figures, and the mean over the tasks of the means of their figures. */
export function scoreCollection(
  responses: readonly ScoredResponse[],
  { name, scorerOf }: Collection,
): SetScores {
  const scored = [...grouped(responses, ({ response }) => String(response.fields.task))].map(([set, own]) => {
    const scorer = scorerOf(set);
    if (scorer !== undefined) return { ...scorer, scores: scorer.score(own) };
    throw new UserError({
      code: 'unknown-task',
      message: `the metric \`${name}\` knows no task \`${set}\``,
      help: `read the rows with \`as: ${name}\` in the load stage`,
    });
  });
  const counted = scored.map(({ task, scores, counts = () => true }) => ({
    task,
    // A correlation that does not exist counts 0.
    values: scores.flatMap(({ metric, value }) => (counts(metric) ? [Number.isNaN(value) ? 0 : value] : [])),
  }));
  const means = [...grouped(counted, ({ task }) => task).values()].flatMap((sets) => {
    const values = sets.flatMap((set) => set.values);
    return values.length === 0 ? [] : [plainMean(values).mean];
  });
  const overall = {
    metric: `${name}_score`,
    value: plainMean(means).mean,
    higher_is_better: true,
    count: means.length,
  };
  return {
    metrics: [...scored.flatMap(({ scores }) => scores), ...(means.length === 0 ? [] : [overall])],
    values: new Map(
      responses.map(({ response, expected }) => [
        response.id,
        expected.includes(chosenText(response)) ? 1 : 0,
      ]),
    ),
  };
}

interface ChosenLabels extends LabelTask {
  /** What the scores are of. */
  readonly of: string;
  readonly config: EvaluateConfig;
}

/** The figures of a task whose choices stand for its classes, in their order; NaN for a correlation of equal values. */
export function scoreLabelTask(
  responses: readonly ScoredResponse[],
  { of, config: { bootstrap: resampling }, ...task }: ChosenLabels,
): readonly Score[] {
  const pairs = {
    gold: responses.map(({ response }) => String(response.fields.label)),
    predicted: responses.map(({ response }) => task.classes[chosenIndex(response)] ?? chosenText(response)),
  };
  return scoresOf({ metrics: scoreLabels(pairs, { ...task, resampling }), remarks: [] }, of);
}
