import type { LabelMetric } from '../labels/label-scores.ts';

export interface GlueTask {
  readonly summary: string;
  /** The column that holds the label. */
  readonly label: string;
  /** The columns of a file without a header. */
  readonly columns?: readonly string[];
  /** Empty where labels are numbers. */
  readonly classes: readonly string[];
  readonly metrics: readonly LabelMetric[];
}

const binary = ['0', '1'];
const entailment = ['entailment', 'not_entailment'];

/** The nine tasks as their dev.tsv files have them (Wang et al., GLUE, 2019). */
export const glueTasks = {
  cola: {
    summary: 'acceptability, Matthews correlation',
    label: 'label',
    columns: ['source', 'label', 'mark', 'sentence'],
    classes: binary,
    metrics: ['matthews'],
  },
  'sst-2': { summary: 'sentiment, accuracy', label: 'label', classes: binary, metrics: ['accuracy'] },
  mrpc: {
    summary: 'paraphrases, accuracy and F1',
    label: 'Quality',
    classes: binary,
    metrics: ['accuracy', 'f1'],
  },
  'sts-b': {
    summary: 'similarity, Pearson and Spearman',
    label: 'score',
    classes: [],
    metrics: ['pearson', 'spearman'],
  },
  qqp: {
    summary: 'same questions, accuracy and F1',
    label: 'is_duplicate',
    classes: binary,
    metrics: ['accuracy', 'f1'],
  },
  mnli: {
    summary: 'entailment (m or mm), accuracy',
    label: 'gold_label',
    classes: ['entailment', 'neutral', 'contradiction'],
    metrics: ['accuracy'],
  },
  qnli: {
    summary: 'answers in sentences, accuracy',
    label: 'label',
    classes: entailment,
    metrics: ['accuracy'],
  },
  rte: { summary: 'entailment, accuracy', label: 'label', classes: entailment, metrics: ['accuracy'] },
  wnli: { summary: 'pronouns, accuracy', label: 'label', classes: binary, metrics: ['accuracy'] },
} satisfies Readonly<Record<string, GlueTask>>;
