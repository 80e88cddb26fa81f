import { isObject, type JsonObject, UserError } from '../../core/index.ts';
import { missingField, requiredText } from '../../text/index.ts';
import type { Example, ExampleTemplate } from '../benchmark.ts';
import { labelIndex, labelText, textList } from '../row-lists.ts';

const text = requiredText;
const noYes = ['no', 'yes'];

interface Labelled {
  readonly prompt: string;
  readonly choices: readonly string[];
}

const truth = ['false', 'true'];

/** Task -> the labels that its choices stand for, in their order. The harness writes `yes` first for MultiRC, where the label 0 means no. */
const labelsByTask: Readonly<Record<string, readonly string[]>> = {
  boolq: truth,
  cb: ['entailment', 'contradiction', 'neutral'],
  copa: ['0', '1'],
  multirc: ['1', '0'],
  rte: ['entailment', 'not_entailment'],
  wic: truth,
  wsc: truth,
};

export const superGlueLabels = (task: string): readonly string[] => labelsByTask[task] ?? [];

const labelled = (row: JsonObject, { prompt, choices }: Labelled): Example => ({
  prompt,
  header: ' ',
  response: choices[labelIndex(row, superGlueLabels(text(row, 'task')))] ?? '',
  choices,
});

/** The questions of lm-evaluation-harness. */
const questions: Readonly<Record<string, (row: JsonObject) => Example>> = {
  boolq: (row) =>
    labelled(row, {
      prompt: `${text(row, 'passage')}\nQuestion: ${text(row, 'question')}?\nAnswer:`,
      choices: noYes,
    }),
  cb: (row) =>
    labelled(row, {
      prompt: `${text(row, 'premise')}\nQuestion: ${text(row, 'hypothesis')}. True, False, or Neither?\nAnswer:`,
      choices: ['True', 'False', 'Neither'],
    }),
  copa: (row) => {
    const connector = text(row, 'question') === 'cause' ? 'because' : 'therefore';
    const choice = (name: string) => ` ${lowered(text(row, name))}`;
    return labelled(row, {
      prompt: `${text(row, 'premise').trim().slice(0, -1)} ${connector}`,
      choices: [choice('choice1'), choice('choice2')],
    });
  },
  multirc: (row) => {
    const choice = (verdict: string) => `${text(row, 'answer')}\nIs the answer correct? ${verdict}`;
    return labelled(row, {
      prompt: `${text(row, 'paragraph')}\nQuestion: ${text(row, 'question')}\nAnswer:`,
      choices: [choice('yes'), choice('no')],
    });
  },
  record: (row) => {
    const [first = '', ...highlights] = text(row, 'passage').trim().split('\n@highlight\n');
    const filled = (entity: string) => `  - ${text(row, 'query')}`.replaceAll('@placeholder', () => entity);
    return {
      prompt: `${first}\n\n${highlights.map((highlight) => `  - ${highlight}.\n`).join('')}`,
      header: ' ',
      response: filled(textList(row, 'answers')[0] ?? ''),
      choices: textList(row, 'entities').map(filled),
    };
  },
  rte: (row) =>
    labelled(row, {
      prompt: `${text(row, 'premise')}\nQuestion: ${text(row, 'hypothesis')} True or False?\nAnswer:`,
      choices: ['True', 'False'],
    }),
  wic: (row) => {
    const [start, end] = ['start1', 'end1'].map((name) => Number(labelText(row, name)));
    const word = [...text(row, 'sentence1')].slice(start, end).join('');
    return labelled(row, {
      prompt: `Sentence 1: ${text(row, 'sentence1')}\nSentence 2: ${text(row, 'sentence2')}\nQuestion: Is the word '${word}' used in the same way in the two sentences above?\nAnswer:`,
      choices: noYes,
    });
  },
  wsc: (row) => labelled(row, { prompt: pronounQuestion(row), choices: noYes }),
};

const lowered = (sentence: string): string => sentence.slice(0, 1).toLowerCase() + sentence.slice(1);

/** The pronoun is marked in the passage; it is found by how many words stand before it. */
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

/** SuperGLUE's eight tasks, each row with the question of its own. */
export const superGlueTemplate: ExampleTemplate = {
  write: (row) => {
    const task = text(row, 'task');
    const question = Object.hasOwn(questions, task) ? questions[task] : undefined;
    if (question !== undefined) return question(row);
    throw new UserError({
      code: 'unknown-task',
      message: `its task \`${task}\` is none of SuperGLUE's`,
      help: 'read the rows with `as: superglue` in the load stage',
    });
  },
  group: (row) => text(row, 'task'),
};

/** Text whose punctuation stands apart, as treebanks have it, as it is usually written (lm-evaluation-harness's general_detokenize). */
const detokenized = (text: string): string =>
  text
    .replaceAll(" n't", "n't")
    .replaceAll(' )', ')')
    .replaceAll('( ', '(')
    .replaceAll('" ', '"')
    .replaceAll(' "', '"')
    .replace(/ (['.,])/g, '$1');
