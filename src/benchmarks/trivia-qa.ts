import { type SetMetric, type SetScores, tokenOverlapF1 } from '../metrics/index.ts';
import { requiredText } from '../text/index.ts';
import { answer, texts } from './answer-texts.ts';
import type { Benchmark, BenchmarkReader, ExampleTemplate } from './benchmark.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import { type BenchmarkScores, fromBenchmark, meanScore, remarkOn } from './benchmark-scores.ts';
import {
  booleanOf,
  fieldOf,
  itemsOf,
  type Located,
  optionalField,
  readAnswers,
  readJson,
  textOf,
  unfit,
} from './located.ts';

export const triviaQaBenchmark: Benchmark = {
  summary: 'exact match and F1 over all aliases',
  data: { file: 'the questions (JSON)', example: 'wikipedia-dev.json' },
  predictions: { file: 'answers by key (JSON)', example: 'predictions.json' },
  score: async ({ data, predictions }) =>
    scoreTrivia(await readTriviaQuestions(data), await readAnswers(predictions)),
};

/** TriviaQA's JSON: a row a key, which is a question of the Wikipedia domain, or a document of a question of the Web domain. */
export const readTriviaQa: BenchmarkReader = async function* ({ path }) {
  const file = { path, name: path };
  const keys = await readTriviaQuestions(file);
  const questions = itemsOf(fieldOf(await readJson(file), 'Data')).map((question) => ({
    id: textOf(fieldOf(question, 'QuestionId')),
    question: textOf(fieldOf(question, 'Question')),
    answer: textOf(fieldOf(fieldOf(question, 'Answer'), 'Value')),
    aliases: itemsOf(fieldOf(fieldOf(question, 'Answer'), 'Aliases')).map(textOf),
  }));
  const byId = new Map(questions.map((question) => [question.id, question]));
  for (const [key, answers] of keys) {
    const { question = '', answer = '', aliases = [] } = byId.get(key.split('--')[0] ?? '') ?? {};
    yield { id: key, row: { question, answer, aliases, answers: [...answers] } };
  }
};

/** TriviaQA as lm-evaluation-harness asks it, without a document. */
export const triviaQaTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: `Question: ${requiredText(row, 'question')}?\nAnswer:`,
    header: ' ',
    response: requiredText(row, 'answer'),
  }),
};

/**
 * The answers that are right, normalised, by the key of a prediction: the question's id in the Wikipedia domain, and
 * `<id>--<file name>` for each of its documents in the Web domain. Where the file is a verified evaluation, only
 * questions and documents that are part of it count.
 */
async function readTriviaQuestions(file: BenchmarkFile): Promise<ReadonlyMap<string, readonly string[]>> {
  const root = await readJson(file);
  const verified = booleanOf(fieldOf(root, 'VerifiedEval'));
  const keysIn = keysOf(fieldOf(root, 'Domain'), verified);
  const questions = itemsOf(fieldOf(root, 'Data')).filter(
    (question) => !verified || booleanOf(fieldOf(question, 'QuestionPartOfVerifiedEval')),
  );
  return new Map(
    questions.flatMap((question) => {
      const answers = answersOf(fieldOf(question, 'Answer'));
      return keysIn(question).map((key) => [key, answers] as const);
    }),
  );
}

function keysOf(domain: Located, verified: boolean): (question: Located) => readonly string[] {
  switch (domain.value) {
    case 'Wikipedia':
      return (question) => [textOf(fieldOf(question, 'QuestionId'))];
    case 'Web':
      return (question) => {
        const id = textOf(fieldOf(question, 'QuestionId'));
        return documentsOf(question)
          .filter((document) => !verified || booleanOf(fieldOf(document, 'DocPartOfVerifiedEval')))
          .map((document) => `${id}--${textOf(fieldOf(document, 'Filename'))}`);
      };
    default:
      throw unfit(domain, 'Wikipedia or Web');
  }
}

const documentsOf = (question: Located): readonly Located[] =>
  ['EntityPages', 'SearchResults'].flatMap((name) => {
    const documents = optionalField(question, name);
    return documents === undefined ? [] : itemsOf(documents);
  });

const answersOf = (answer: Located): readonly string[] => {
  const human = optionalField(answer, 'HumanAnswers');
  return [
    ...itemsOf(fieldOf(answer, 'NormalizedAliases')),
    ...(human === undefined ? [] : itemsOf(human)),
  ].map((text) => normalizeTrivia(textOf(text)));
};

/** TriviaQA's percentages (triviaqa_evaluation.py): the best over all aliases; a key without a prediction counts 0. */
function scoreTrivia(
  questions: ReadonlyMap<string, readonly string[]>,
  predictions: ReadonlyMap<string, string>,
): BenchmarkScores {
  const rated = [...questions].map(([key, answers]) => rate(answers, predictions.get(key)));
  return {
    metrics: [
      meanScore({ metric: 'exact_match', values: rated.map(({ exact }) => exact), scale: 100 }),
      meanScore({ metric: 'f1', values: rated.map(({ f1 }) => f1), scale: 100 }),
    ],
    remarks: [
      ...remarkOn(
        'keys without a prediction, counted 0',
        [...questions.keys()].filter((key) => !predictions.has(key)),
      ),
      ...remarkOn(
        'predictions for no key of the data, left out',
        [...predictions.keys()].filter((key) => !questions.has(key)),
      ),
    ],
  };
}

function rate(answers: readonly string[], prediction: string | undefined): { exact: number; f1: number } {
  if (prediction === undefined) return { exact: 0, f1: 0 };
  const words = triviaWords(prediction);
  return {
    exact: answers.includes(normalizeTrivia(prediction)) ? 1 : 0,
    f1: Math.max(0, ...answers.map((answer) => tokenOverlapF1(triviaWords(answer), words))),
  };
}

/** string.punctuation of Python, and the quotes that TriviaQA adds: ‘ ’ ´ (the grave accent is in both). */
const punctuation = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~‘’´]/g;
/** A word boundary that knows every letter, as Python's does and JavaScript's `\b` does not. */
const articles = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** The words of TriviaQA's normalize_answer: small letters, a space for each punctuation mark, no articles. */
const triviaWords = (text: string): readonly string[] =>
  text
    .toLowerCase()
    .replace(punctuation, ' ')
    .replace(articles, ' ')
    .split(/\s+/u)
    .filter((word) => word !== '');

const normalizeTrivia = (text: string): string => triviaWords(text).join(' ');

/** TriviaQA's exact match and F1 in percent, the best over all aliases. */
export const triviaQaMetric: SetMetric = {
  reads: 'text',
  score: (rated): SetScores => {
    const keys = new Map(
      rated.map(({ response }) => [response.id, texts(response.fields.answers).map(normalizeTrivia)]),
    );
    const predictions = new Map(rated.map(({ response }) => [response.id, answer(response)]));
    return {
      metrics: fromBenchmark(scoreTrivia(keys, predictions)),
      values: new Map(
        [...keys].map(([id, answers]) => {
          const given = new Map([[id, predictions.get(id) ?? '']]);
          return [id, scoreTrivia(new Map([[id, answers]]), given).metrics[1]?.value ?? null];
        }),
      ),
    };
  },
};
