import { isObject, type JsonObject } from '../../core/index.ts';
import { missingField, requiredText } from '../../text/index.ts';
import type { LabelTask } from '../labels.ts';
import { labelText, textList } from '../row-fields.ts';

export interface SuperGlueTask {
  /** As SuperGLUE's archives are unpacked. */
  readonly folder: string;
  /** lm-evaluation-harness's question. */
  readonly question: (row: JsonObject) => Question;
  /** The labels that its choices stand for, in the same order. */
  readonly labels?: readonly string[];
  /** How it is scored, if it has one label for each item. */
  readonly labelTask?: LabelTask & { readonly summary: string };
}

interface Question {
  readonly prompt: string;
  readonly choices: readonly string[];
  /** The right answer, if it is not the choice of the row's label. */
  readonly response?: string;
}

const text = requiredText;
const noYes = ['no', 'yes'];
const truth = ['true', 'false'];

/** The eight tasks (Wang et al., SuperGLUE, 2019). */
export const superGlueTasks = {
  boolq: {
    folder: 'BoolQ',
    labelTask: { summary: 'yes or no, accuracy', classes: truth, metrics: ['accuracy'] },
    question: (row) => ({
      prompt: `${text(row, 'passage')}\nQuestion: ${text(row, 'question')}?\nAnswer:`,
      choices: noYes,
    }),
    labels: ['false', 'true'],
  },
  cb: {
    folder: 'CB',
    labelTask: {
      summary: 'commitment, accuracy and mean F1',
      classes: ['entailment', 'contradiction', 'neutral'],
      metrics: ['accuracy', 'macro_f1'],
    },
    question: (row) => ({
      prompt: `${text(row, 'premise')}\nQuestion: ${text(row, 'hypothesis')}. True, False, or Neither?\nAnswer:`,
      choices: ['True', 'False', 'Neither'],
    }),
    labels: ['entailment', 'contradiction', 'neutral'],
  },
  copa: {
    folder: 'COPA',
    labelTask: { summary: 'cause or effect, accuracy', classes: ['0', '1'], metrics: ['accuracy'] },
    question: (row) => {
      const connector = text(row, 'question') === 'cause' ? 'because' : 'therefore';
      return {
        prompt: `${text(row, 'premise').trim().slice(0, -1)} ${connector}`,
        choices: ['choice1', 'choice2'].map((name) => ` ${lowered(text(row, name))}`),
      };
    },
    labels: ['0', '1'],
  },
  multirc: {
    folder: 'MultiRC',
    question: (row) => ({
      prompt: `${text(row, 'paragraph')}\nQuestion: ${text(row, 'question')}\nAnswer:`,
      choices: ['yes', 'no'].map((verdict) => `${text(row, 'answer')}\nIs the answer correct? ${verdict}`),
    }),
    // The harness writes `yes` first, and the label 0 means no.
    labels: ['1', '0'],
  },
  record: {
    folder: 'ReCoRD',
    question: (row) => {
      const [first = '', ...highlights] = text(row, 'passage').trim().split('\n@highlight\n');
      const filled = (entity: string) => `  - ${text(row, 'query')}`.replaceAll('@placeholder', () => entity);
      return {
        prompt: `${first}\n\n${highlights.map((highlight) => `  - ${highlight}.\n`).join('')}`,
        choices: textList(row, 'entities').map(filled),
        response: filled(textList(row, 'answers')[0] ?? ''),
      };
    },
  },
  rte: {
    folder: 'RTE',
    labelTask: {
      summary: 'entailment, accuracy',
      classes: ['entailment', 'not_entailment'],
      metrics: ['accuracy'],
    },
    question: (row) => ({
      prompt: `${text(row, 'premise')}\nQuestion: ${text(row, 'hypothesis')} True or False?\nAnswer:`,
      choices: ['True', 'False'],
    }),
    labels: ['entailment', 'not_entailment'],
  },
  wic: {
    folder: 'WiC',
    labelTask: { summary: 'words in context, accuracy', classes: truth, metrics: ['accuracy'] },
    question: (row) => {
      const [start, end] = ['start1', 'end1'].map((name) => Number(labelText(row, name)));
      const word = [...text(row, 'sentence1')].slice(start, end).join('');
      return {
        prompt: `Sentence 1: ${text(row, 'sentence1')}\nSentence 2: ${text(row, 'sentence2')}\nQuestion: Is the word '${word}' used in the same way in the two sentences above?\nAnswer:`,
        choices: noYes,
      };
    },
    labels: ['false', 'true'],
  },
  wsc: {
    folder: 'WSC',
    labelTask: { summary: 'pronouns, accuracy', classes: truth, metrics: ['accuracy'] },
    question: (row) => ({ prompt: pronounQuestion(row), choices: noYes }),
    labels: ['false', 'true'],
  },
} satisfies Readonly<Record<string, SuperGlueTask>>;

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
