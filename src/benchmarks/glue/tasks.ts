import type { JsonObject } from '../../core/index.ts';
import { requiredText } from '../../text/index.ts';
import type { LabelTask } from '../labels.ts';

export interface GlueTask extends LabelTask {
  readonly summary: string;
  /** As GLUE's archives are unpacked. */
  readonly folder: string;
  /** The column of the label. */
  readonly labelColumn: string;
  /** The columns of a file without a header. */
  readonly columns?: readonly string[];
  /** lm-evaluation-harness's question. */
  readonly prompt: (row: JsonObject) => string;
  /** The choices for the classes, in the same order; the labels themselves without classes. */
  readonly choices: readonly string[];
}

const text = requiredText;
const noYes = { classes: ['0', '1'], choices: ['no', 'yes'] };
const entailment = ['entailment', 'not_entailment'];

/** The nine tasks as their dev.tsv files have them (Wang et al., GLUE, 2019). */
export const glueTasks = {
  cola: {
    summary: 'acceptability, Matthews correlation',
    folder: 'CoLA',
    labelColumn: 'label',
    columns: ['source', 'label', 'mark', 'sentence'],
    metrics: ['matthews'],
    prompt: (row) => `${text(row, 'sentence')}\nQuestion: Does this sentence make sense?\nAnswer:`,
    ...noYes,
  },
  'sst-2': {
    summary: 'sentiment, accuracy',
    folder: 'SST-2',
    labelColumn: 'label',
    classes: ['0', '1'],
    metrics: ['accuracy'],
    prompt: (row) => `${text(row, 'sentence')}\nQuestion: Is this sentence positive or negative?\nAnswer:`,
    choices: ['negative', 'positive'],
  },
  mrpc: {
    summary: 'paraphrases, accuracy and F1',
    folder: 'MRPC',
    labelColumn: 'Quality',
    metrics: ['accuracy', 'f1'],
    prompt: (row) =>
      `Sentence 1: ${text(row, '#1 String')}\nSentence 2: ${text(row, '#2 String')}\nQuestion: Do both sentences mean the same thing?\nAnswer:`,
    ...noYes,
  },
  'sts-b': {
    summary: 'similarity, Pearson and Spearman',
    folder: 'STS-B',
    labelColumn: 'score',
    classes: [],
    metrics: ['pearson', 'spearman'],
    // The harness has no question for it. As for T5, similarities are rounded to a fifth.
    prompt: (row) =>
      `Sentence 1: ${text(row, 'sentence1')}\nSentence 2: ${text(row, 'sentence2')}\nQuestion: How similar are both sentences, from 0 to 5?\nAnswer:`,
    choices: Array.from({ length: 26 }, (_, step) => (step / 5).toFixed(1)),
  },
  qqp: {
    summary: 'same questions, accuracy and F1',
    folder: 'QQP',
    labelColumn: 'is_duplicate',
    metrics: ['accuracy', 'f1'],
    prompt: (row) =>
      `Question 1: ${text(row, 'question1')}\nQuestion 2: ${text(row, 'question2')}\nQuestion: Do both questions ask the same thing?\nAnswer:`,
    ...noYes,
  },
  mnli: {
    summary: 'entailment (m or mm), accuracy',
    folder: 'MNLI',
    labelColumn: 'gold_label',
    classes: ['entailment', 'neutral', 'contradiction'],
    metrics: ['accuracy'],
    prompt: (row) => {
      const hypothesis = text(row, 'sentence2').trim();
      const ended = hypothesis.endsWith('.') ? hypothesis : `${hypothesis}.`;
      return `${text(row, 'sentence1')}\nQuestion: ${ended} True, False or Neither?\nAnswer:`;
    },
    choices: ['True', 'Neither', 'False'],
  },
  qnli: {
    summary: 'answers in sentences, accuracy',
    folder: 'QNLI',
    labelColumn: 'label',
    classes: entailment,
    metrics: ['accuracy'],
    prompt: (row) =>
      `${text(row, 'question')}\n${text(row, 'sentence')}\nQuestion: Does this response answer the question?\nAnswer:`,
    choices: ['yes', 'no'],
  },
  rte: {
    summary: 'entailment, accuracy',
    folder: 'RTE',
    labelColumn: 'label',
    classes: entailment,
    metrics: ['accuracy'],
    prompt: (row) => `${text(row, 'sentence1')}\nQuestion: ${text(row, 'sentence2')} True or False?\nAnswer:`,
    choices: ['True', 'False'],
  },
  wnli: {
    summary: 'pronouns, accuracy',
    folder: 'WNLI',
    labelColumn: 'label',
    classes: ['0', '1'],
    metrics: ['accuracy'],
    prompt: (row) => `${text(row, 'sentence1')}\nQuestion: ${text(row, 'sentence2')} True or False?\nAnswer:`,
    choices: ['False', 'True'],
  },
} satisfies Readonly<Record<string, GlueTask>>;
