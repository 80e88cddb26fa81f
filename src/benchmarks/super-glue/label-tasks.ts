import { isObject, type JsonObject } from '../../core/index.ts';
import { missingField, requiredText } from '../../text/index.ts';
import { type LabelTask, labelScorer } from '../labels.ts';
import { fieldOf, labelOf } from '../located.ts';
import { labelText } from '../row-fields.ts';
import { scoreLabelTask } from '../task-collection.ts';
import { readLabels, withGenderParity } from './gender-parity.ts';
import type { Question, SuperGlueTask } from './super-glue-task.ts';

const text = requiredText;
const noYes = ['no', 'yes'];
const truth = ['false', 'true'];
const diagnostic = { classes: ['entailment', 'not_entailment'], positive: 'entailment', counted: [] };

const entailment = (premise: string, hypothesis: string): Question => ({
  prompt: `${premise}\nQuestion: ${hypothesis} True or False?\nAnswer:`,
  choices: ['True', 'False'],
});

/** The tasks with one label for each item; the last two are diagnostic. */
export const labelTasks: Readonly<Record<string, SuperGlueTask>> = {
  boolq: labelTask('boolq', {
    folder: 'BoolQ',
    summary: 'yes or no, accuracy',
    classes: truth,
    metrics: ['accuracy'],
    question: (row) => ({
      prompt: `${text(row, 'passage')}\nQuestion: ${text(row, 'question')}?\nAnswer:`,
      choices: noYes,
    }),
  }),
  cb: labelTask('cb', {
    folder: 'CB',
    summary: 'commitment, accuracy and mean F1',
    classes: ['entailment', 'contradiction', 'neutral'],
    metrics: ['accuracy', 'macro_f1'],
    question: (row) => ({
      prompt: `${text(row, 'premise')}\nQuestion: ${text(row, 'hypothesis')}. True, False, or Neither?\nAnswer:`,
      choices: ['True', 'False', 'Neither'],
    }),
  }),
  copa: labelTask('copa', {
    folder: 'COPA',
    summary: 'cause or effect, accuracy',
    classes: ['0', '1'],
    metrics: ['accuracy'],
    question: (row) => {
      const connector = text(row, 'question') === 'cause' ? 'because' : 'therefore';
      return {
        prompt: `${text(row, 'premise').trim().slice(0, -1)} ${connector}`,
        choices: ['choice1', 'choice2'].map((name) => ` ${lowered(text(row, name))}`),
      };
    },
  }),
  rte: labelTask('rte', {
    folder: 'RTE',
    summary: 'entailment, accuracy',
    classes: ['entailment', 'not_entailment'],
    metrics: ['accuracy'],
    question: (row) => entailment(text(row, 'premise'), text(row, 'hypothesis')),
  }),
  wic: labelTask('wic', {
    folder: 'WiC',
    summary: 'words in context, accuracy',
    classes: truth,
    metrics: ['accuracy'],
    question: (row) => {
      const [start, end] = ['start1', 'end1'].map((name) => Number(labelText(row, name)));
      const word = [...text(row, 'sentence1')].slice(start, end).join('');
      return {
        prompt: `Sentence 1: ${text(row, 'sentence1')}\nSentence 2: ${text(row, 'sentence2')}\nQuestion: Is the word '${word}' used in the same way in the two sentences above?\nAnswer:`,
        choices: noYes,
      };
    },
  }),
  wsc: labelTask('wsc', {
    folder: 'WSC',
    summary: 'pronouns, accuracy',
    classes: truth,
    metrics: ['accuracy'],
    question: (row) => ({ prompt: pronounQuestion(row), choices: noYes }),
  }),
  axb: labelTask('axb', {
    ...diagnostic,
    folder: 'AX-b',
    summary: 'broad coverage diagnostics, Matthews correlation',
    metrics: ['matthews'],
    question: (row) => entailment(text(row, 'sentence1'), text(row, 'sentence2')),
  }),
  axg: withGenderParity(
    labelTask('axg', {
      ...diagnostic,
      folder: 'AX-g',
      summary: 'Winogender, accuracy and gender parity',
      metrics: ['accuracy'],
      question: (row) => entailment(text(row, 'premise'), text(row, 'hypothesis')),
    }),
  ),
};

interface Declared extends LabelTask, Pick<SuperGlueTask, 'counted'> {
  readonly folder: string;
  readonly summary: string;
  /** Its choices stand for the classes, in the same order. */
  readonly question: (row: JsonObject) => Question;
}

/** Predictions are a submission's file: {idx, label}. */
function labelTask(name: string, { folder, question, counted, ...task }: Declared): SuperGlueTask {
  return {
    folder,
    question,
    labels: task.classes,
    ...(counted && { counted }),
    readRows: (item) => {
      const fields = isObject(item.value) ? item.value : {};
      const row = { ...fields, task: name, label: labelOf(fieldOf(item, 'label')) };
      return [{ id: `${name}/${labelOf(fieldOf(item, 'idx'))}`, row }];
    },
    scoreResponses: (responses, config) => scoreLabelTask(responses, { ...task, of: name, config }),
    scorer: labelScorer(task, {
      data: { file: 'the labeled items (JSONL)', example: 'val.jsonl' },
      predictions: { file: 'idx and label (JSONL)', example: 'predictions.jsonl' },
      readGold: readLabels,
      readPredicted: readLabels,
    }),
  };
}

const lowered = (sentence: string): string => sentence.slice(0, 1).toLowerCase() + sentence.slice(1);

/** The passage with the pronoun marked; the row has its word index. */
function pronounQuestion(row: JsonObject): string {
  const { target } = row;
  if (!isObject(target)) throw missingField(row, 'target');
  const passage = text(row, 'text');
  const [noun, pronoun] = [text(target, 'span1_text'), text(target, 'span2_text')];
  const before = passage
    .trim()
    .split(/\s+/u)
    .slice(0, Number(labelText(target, 'span2_index')))
    .join(' ');
  const after = passage.slice(before.length + pronoun.length + 1);
  const marked = detokenized(`${before} *${pronoun}*${after}`);
  return `Passage: ${marked}\nQuestion: In the passage above, does the pronoun "*${pronoun}*" refer to "*${noun}*"?\nAnswer:`;
}

/** Removes the spaces that treebanks put around punctuation (lm-evaluation-harness's general_detokenize). */
const detokenized = (text: string): string =>
  text
    .replaceAll(" n't", "n't")
    .replaceAll(' )', ')')
    .replaceAll('( ', '(')
    .replaceAll('" ', '"')
    .replaceAll(' "', '"')
    .replace(/ (['.,])/g, '$1');
