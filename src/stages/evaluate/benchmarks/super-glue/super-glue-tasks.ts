import type { LabelMetric } from '../labels/label-scores.ts';

export interface SuperGlueTask {
  readonly summary: string;
  readonly classes: readonly string[];
  readonly metrics: readonly LabelMetric[];
}

const truth = ['true', 'false'];

/** The six tasks with one label a line (Wang et al., SuperGLUE, 2019); MultiRC and ReCoRD are scored apart. */
export const superGlueTasks = {
  boolq: { summary: 'yes or no, accuracy', classes: truth, metrics: ['accuracy'] },
  cb: {
    summary: 'commitment, accuracy and mean F1',
    classes: ['entailment', 'contradiction', 'neutral'],
    metrics: ['accuracy', 'macro_f1'],
  },
  copa: { summary: 'cause or effect, accuracy', classes: ['0', '1'], metrics: ['accuracy'] },
  rte: { summary: 'entailment, accuracy', classes: ['entailment', 'not_entailment'], metrics: ['accuracy'] },
  wic: { summary: 'words in context, accuracy', classes: truth, metrics: ['accuracy'] },
  wsc: { summary: 'pronouns, accuracy', classes: truth, metrics: ['accuracy'] },
} satisfies Readonly<Record<string, SuperGlueTask>>;
