import { UserError } from '../core/index.ts';
import type { EvaluateConfig } from '../generated/evaluate-config.ts';
import {
  chosenIndex,
  chosenText,
  grouped,
  type RatedResponse,
  type Score,
  type SetMetric,
  type SetScores,
} from '../metrics/index.ts';
import { fromBenchmark } from './benchmark-scores.ts';
import { type GlueTask, glueLabels, glueTasks } from './glue/glue-tasks.ts';
import { type LabelMetric, scoreLabels } from './labels.ts';
import { scoreMultiRc, scoreRecord } from './super-glue/answer-sets.ts';
import { superGlueTasks } from './super-glue/super-glue.ts';
import { superGlueLabels } from './super-glue/super-glue-template.ts';

type TaskScorer = (rated: readonly RatedResponse[], config: EvaluateConfig) => readonly Score[];

/** Every task with the metrics of its own, and their mean: of a task's metrics first, then of the tasks. */
const collection = (name: string, scorerOf: (task: string) => TaskScorer | undefined): SetMetric => ({
  reads: 'choices',
  score: (rated, config): SetScores => {
    const tasks = grouped(rated, ({ response }) => String(response.fields.task));
    const scores = [...tasks].flatMap(([task, own]) => {
      const scorer = scorerOf(task);
      if (scorer !== undefined) return scorer(own, config);
      throw new UserError({
        code: 'unknown-task',
        message: `the metric \`${name}\` knows no task \`${task}\``,
        help: `read the rows with \`as: ${name}\` in the load stage`,
      });
    });
    return {
      metrics: [...scores, overall(`${name}_score`, scores)],
      values: new Map(
        rated.map(({ response, expected }) => [response.id, expected.includes(chosenText(response)) ? 1 : 0]),
      ),
    };
  },
});

/** MNLI's two sets are one task. A correlation that does not exist counts 0. */
function overall(metric: string, scores: readonly Score[]): Score {
  const byTask = grouped(scores, ({ of }) => (of ?? '').replace('-mismatched', ''));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const means = [...byTask.values()].map((own) =>
    mean(own.map(({ value }) => (Number.isNaN(value) ? 0 : value))),
  );
  return { metric, value: mean(means), higher_is_better: true, count: means.length };
}

interface LabelTask {
  readonly task: string;
  /** The label that each choice stands for; the choice itself where there are none. */
  readonly labels: readonly string[];
  readonly classes: readonly string[];
  readonly metrics: readonly LabelMetric[];
}

const labelScorer =
  ({ task, labels, classes, metrics }: LabelTask): TaskScorer =>
  (rated, { bootstrap: resampling }) => {
    const pairs = {
      gold: rated.map(({ response }) => String(response.fields.label)),
      predicted: rated.map(({ response }) => labels[chosenIndex(response)] ?? chosenText(response)),
    };
    return metrics.flatMap((metric) => {
      try {
        const scores = scoreLabels(pairs, { metrics: [metric], classes, resampling });
        return fromBenchmark({ metrics: scores, remarks: [] }, task);
      } catch (error) {
        if (!(error instanceof UserError && error.code === 'no-spread')) throw error;
        return [{ metric, of: task, value: Number.NaN, higher_is_better: true, count: rated.length }];
      }
    });
  };

/** GLUE's nine tasks. */
export const glueMetric = collection('glue', (task) => {
  const found: Readonly<Record<string, GlueTask>> = glueTasks;
  const known = found[task.replace('-mismatched', '')];
  return known && labelScorer({ task, labels: glueLabels(task), ...known });
});

/** SuperGLUE's eight tasks. */
export const superGlueMetric = collection('superglue', (task) => {
  if (task === 'multirc') return scoreMultiRc;
  if (task === 'record') return scoreRecord;
  const found: Readonly<Record<string, Pick<LabelTask, 'classes' | 'metrics'>>> = superGlueTasks;
  const known = found[task];
  return known && labelScorer({ task, labels: superGlueLabels(task), ...known });
});
