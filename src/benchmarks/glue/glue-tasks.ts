import { type JsonObject, UserError } from '../../core/index.ts';
import { requiredText } from '../../text/index.ts';
import type { ExampleTemplate } from '../benchmark.ts';
import type { LabelMetric } from '../labels.ts';
import { labelIndex, labelText } from '../row-lists.ts';

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

interface GlueQuestion {
  readonly prompt: (row: JsonObject) => string;
  /** In the order of the choices. */
  readonly labels: readonly string[];
  readonly choices: readonly string[];
}

const noYes = { labels: ['0', '1'], choices: ['no', 'yes'] };
const text = requiredText;

const mnli: GlueQuestion = {
  prompt: (row) => {
    const hypothesis = text(row, 'sentence2').trim();
    const ended = hypothesis.endsWith('.') ? hypothesis : `${hypothesis}.`;
    return `${text(row, 'sentence1')}\nQuestion: ${ended} True, False or Neither?\nAnswer:`;
  },
  labels: ['entailment', 'neutral', 'contradiction'],
  choices: ['True', 'Neither', 'False'],
};

/** The questions of lm-evaluation-harness; it has none for STS-B, which is asked for a similarity from 0 to 5. */
const questions: Readonly<Record<string, GlueQuestion>> = {
  cola: {
    prompt: (row) => `${text(row, 'sentence')}\nQuestion: Does this sentence make sense?\nAnswer:`,
    ...noYes,
  },
  'sst-2': {
    prompt: (row) => `${text(row, 'sentence')}\nQuestion: Is this sentence positive or negative?\nAnswer:`,
    labels: ['0', '1'],
    choices: ['negative', 'positive'],
  },
  mrpc: {
    prompt: (row) =>
      `Sentence 1: ${text(row, '#1 String')}\nSentence 2: ${text(row, '#2 String')}\nQuestion: Do both sentences mean the same thing?\nAnswer:`,
    ...noYes,
  },
  qqp: {
    prompt: (row) =>
      `Question 1: ${text(row, 'question1')}\nQuestion 2: ${text(row, 'question2')}\nQuestion: Do both questions ask the same thing?\nAnswer:`,
    ...noYes,
  },
  'sts-b': {
    prompt: (row) =>
      `Sentence 1: ${text(row, 'sentence1')}\nSentence 2: ${text(row, 'sentence2')}\nQuestion: How similar are both sentences, from 0 to 5?\nAnswer:`,
    labels: [],
    choices: Array.from({ length: 26 }, (_, step) => (step / 5).toFixed(1)),
  },
  mnli,
  'mnli-mismatched': mnli,
  qnli: {
    prompt: (row) =>
      `${text(row, 'question')}\n${text(row, 'sentence')}\nQuestion: Does this response answer the question?\nAnswer:`,
    labels: entailment,
    choices: ['yes', 'no'],
  },
  rte: {
    prompt: (row) => `${text(row, 'sentence1')}\nQuestion: ${text(row, 'sentence2')} True or False?\nAnswer:`,
    labels: entailment,
    choices: ['True', 'False'],
  },
  wnli: {
    prompt: (row) => `${text(row, 'sentence1')}\nQuestion: ${text(row, 'sentence2')} True or False?\nAnswer:`,
    labels: ['0', '1'],
    choices: ['False', 'True'],
  },
};

/** GLUE's nine tasks, each row with the question of its own. */
export const glueTemplate: ExampleTemplate = {
  write: (row) => {
    const { prompt, labels, choices } = questionOf(row);
    const response = labels.length === 0 ? nearestStep(row) : choices[labelIndex(row, labels)];
    return { prompt: prompt(row), header: ' ', response: response ?? '', choices };
  },
  group: (row) => text(row, 'task'),
};

/** Similarities are given to a fifth, as T5 is asked for them. */
const nearestStep = (row: JsonObject): string =>
  (Math.round(Number(labelText(row, 'label')) * 5) / 5).toFixed(1);

function questionOf(row: JsonObject): GlueQuestion {
  const task = text(row, 'task');
  const question = Object.hasOwn(questions, task) ? questions[task] : undefined;
  if (question !== undefined) return question;
  throw new UserError({
    code: 'unknown-task',
    message: `its task \`${task}\` is none of GLUE's`,
    help: 'read the rows with `as: glue` in the load stage',
  });
}

/** The labels that a task's choices stand for, in their order; empty for STS-B, whose choices are numbers themselves. */
export const glueLabels = (task: string): readonly string[] => questions[task]?.labels ?? [];
