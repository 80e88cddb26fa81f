import { answerTokens, chosenIndex, normalizeAnswer, tokenOverlapF1 } from '../../metrics/index.ts';
import { requiredText } from '../../text/index.ts';
import type { BenchmarkRow } from '../benchmark.ts';
import type { BenchmarkFile } from '../benchmark-file.ts';
import {
  type BenchmarkScore,
  type BenchmarkScores,
  leftOutFor,
  meanScore,
  remarkOn,
  scoresOf,
} from '../benchmark-scores.ts';
import { fieldOf, itemsOf, type Located, labelOf, optionalField, readJsonLines, textOf } from '../located.ts';
import { textList } from '../row-fields.ts';
import type { SuperGlueTask } from './super-glue-task.ts';

/** ReCoRD: the entity that fills a gap, the best over the right ones; answers compare as in SQuAD 1.1. */
export const record: SuperGlueTask = {
  folder: 'ReCoRD',
  readRows: readQueries,
  question: (row) => {
    const [first = '', ...highlights] = requiredText(row, 'passage').trim().split('\n@highlight\n');
    const filled = (entity: string) =>
      `  - ${requiredText(row, 'query')}`.replaceAll('@placeholder', () => entity);
    return {
      prompt: `${first}\n\n${highlights.map((highlight) => `  - ${highlight}.\n`).join('')}`,
      choices: textList(row, 'entities').map(filled),
      response: filled(textList(row, 'answers')[0] ?? ''),
    };
  },
  scoreResponses: (responses) => {
    const scored = responses.map(({ response }) => {
      const { entities, answers } = response.fields;
      const entity = Array.isArray(entities) ? String(entities[chosenIndex(response)] ?? '') : '';
      return scoreEntity(Array.isArray(answers) ? answers.map(String) : [], entity);
    });
    return scoresOf({ metrics: meansOf(scored), remarks: [] }, 'record');
  },
  scorer: {
    summary: 'entities in gaps, F1 and exact match',
    data: { file: 'the passages with queries (JSONL)', example: 'val.jsonl' },
    predictions: { file: 'idx and label (JSONL)', example: 'ReCoRD.jsonl' },
    score: async ({ data, predictions }) =>
      scoreQueries(await readAnswers(data), await readEntities(predictions)),
  },
};

/** A row for each query. Entities are given by their first and last character in the passage. */
function* readQueries(item: Located): Generator<BenchmarkRow> {
  const passage = fieldOf(item, 'passage');
  const text = textOf(fieldOf(passage, 'text'));
  const characters = [...text];
  const entities = itemsOf(fieldOf(passage, 'entities')).map((entity) => {
    const [start, end] = [fieldOf(entity, 'start'), fieldOf(entity, 'end')].map(({ value }) => Number(value));
    return characters.slice(start, (end ?? 0) + 1).join('');
  });
  for (const query of itemsOf(fieldOf(item, 'qas'))) {
    const id = labelOf(optionalField(query, 'idx') ?? fieldOf(query, 'id'));
    const answers = itemsOf(fieldOf(query, 'answers')).map((answer) => textOf(fieldOf(answer, 'text')));
    yield {
      id: `record/${id}`,
      row: {
        task: 'record',
        passage: text,
        query: textOf(fieldOf(query, 'query')),
        entities: sorted(entities),
        answers: sorted(answers),
      },
    };
  }
}

const sorted = (texts: readonly string[]): string[] => [...new Set(texts)].sort((a, b) => (a < b ? -1 : 1));

interface ScoredEntity {
  readonly exact: number;
  readonly f1: number;
}

function scoreQueries(
  queries: ReadonlyMap<string, readonly string[]>,
  predictions: ReadonlyMap<string, string>,
): BenchmarkScores {
  const scored = [...queries].map(([id, golds]) => scoreEntity(golds, predictions.get(id)));
  return {
    metrics: meansOf(scored),
    remarks: remarkOn(
      'queries without a prediction, counted 0',
      [...queries.keys()].filter((id) => !predictions.has(id)),
    ),
    leftOut: leftOutFor(
      'predictions for no query of the data',
      [...predictions.keys()].filter((id) => !queries.has(id)),
    ),
  };
}

const meansOf = (scored: readonly ScoredEntity[]): readonly BenchmarkScore[] => [
  meanScore({ metric: 'f1', values: scored.map((one) => one.f1) }),
  meanScore({ metric: 'exact_match', values: scored.map(({ exact }) => exact) }),
];

function scoreEntity(golds: readonly string[], prediction: string | undefined): ScoredEntity {
  if (prediction === undefined) return { exact: 0, f1: 0 };
  const words = answerTokens(prediction);
  return {
    exact: golds.some((gold) => normalizeAnswer(gold) === words.join(' ')) ? 1 : 0,
    f1: Math.max(0, ...golds.map((gold) => tokenOverlapF1(answerTokens(gold), words))),
  };
}

/** A query's idx -> the right entities. */
async function readAnswers(file: BenchmarkFile): Promise<ReadonlyMap<string, readonly string[]>> {
  const queries = (await readJsonLines(file)).flatMap((passage) => itemsOf(fieldOf(passage, 'qas')));
  return new Map(
    queries.map((query) => [
      labelOf(fieldOf(query, 'idx')),
      itemsOf(fieldOf(query, 'answers')).map((answer) => textOf(fieldOf(answer, 'text'))),
    ]),
  );
}

async function readEntities(file: BenchmarkFile): Promise<ReadonlyMap<string, string>> {
  const lines = await readJsonLines(file);
  return new Map(lines.map((line) => [labelOf(fieldOf(line, 'idx')), textOf(fieldOf(line, 'label'))]));
}
