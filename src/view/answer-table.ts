import { type Json, own } from '../core/index.ts';
import type { Scores } from '../metrics/index.ts';
import type { RunRecord, Store } from '../runtime/index.ts';
import { portCodecs, readAll } from '../stages/index.ts';
import type { ResponseRecord } from '../text/index.ts';
import { answerText, questionOf } from './answer-text.ts';
import { readRunOutput, readScores, scorersOf, stagesWith } from './read-output.ts';
import type { RunColumn } from './score-table.ts';
import { beforeTrainingFirst } from './stage-edges.ts';

/** Answers to the same prompts side by side: a column for each stage that answered them, a row for each record. */
export interface AnswerTable {
  readonly columns: readonly AnswerColumn[];
  /** In the order of the first column's records, then those that other columns alone have. */
  readonly rows: readonly AnswerRow[];
}

export interface AnswerColumn extends RunColumn {
  /** The metric that says whether an answer is right, if one scored these answers record by record. */
  readonly metric?: string;
  readonly higher_is_better?: boolean;
}

export interface AnswerRow {
  readonly id: string;
  readonly question: string;
  readonly expected: string;
  /** By column; null where the stage has no answer to it. */
  readonly answers: readonly (Answer | null)[];
}

export interface Answer {
  readonly text: string;
  /** Where nobody scored it, whether it is the expected text. */
  readonly right?: boolean;
  /** The value of the column's metric. */
  readonly score?: number;
}

interface Column extends AnswerColumn {
  /** How many runs have the same answers of this stage. */
  runs: number;
  readonly prompts: string;
  readonly responses: ReadonlyMap<string, ResponseRecord>;
  readonly judge: Judge;
}

/** Answers of runs, in a table for each set of prompts. */
export async function viewAnswers(store: Store, runs: readonly RunRecord[]): Promise<readonly AnswerTable[]> {
  const groups: Column[][] = [];
  for (const run of runs)
    for (const stage of beforeTrainingFirst(store, { run, stages: stagesWith(run, 'responses') })) {
      const column = await readColumn(store, { run, stage });
      if (column === undefined) continue;
      const group = groups.find(([first]) => first?.prompts === column.prompts);
      const twin = group?.find(
        (other) => other.stage === stage && sameAnswers(other.responses, column.responses),
      );
      if (twin !== undefined) twin.runs += 1;
      else if (group === undefined) groups.push([column]);
      else group.push(column);
    }
  return groups.map((group) => tableOf(byStage(group), runs.length));
}

/** The columns of a stage side by side. */
function byStage(columns: readonly Column[]): readonly Column[] {
  const stages = [...new Set(columns.map(({ stage }) => stage))];
  return stages.flatMap((stage) => columns.filter((column) => column.stage === stage));
}

/** Two runs that reused a stage have the same answers, and one column shows them. */
const sameAnswers = (
  one: ReadonlyMap<string, ResponseRecord>,
  other: ReadonlyMap<string, ResponseRecord>,
): boolean =>
  one.size === other.size &&
  [...one].every(([id, response]) => {
    const twin = other.get(id);
    return twin !== undefined && answerText(twin) === answerText(response);
  });

async function readColumn(
  store: Store,
  at: { readonly run: RunRecord; readonly stage: string },
): Promise<Column | undefined> {
  const responses = await readRunOutput(store, { ...at, output: 'responses' }, (path) =>
    readAll(portCodecs.responses.read(path)),
  );
  if (responses === undefined || responses.length === 0) return undefined;
  const scores: Scores[] = [];
  for (const stage of scorersOf(store, at)) {
    const read = await readScores(store, { run: at.run, stage });
    if (read !== undefined) scores.push(read);
  }
  const judge = judgeOf(scores);
  return {
    run: at.run.run,
    stage: at.stage,
    ...(judge.metric === undefined ? {} : { metric: judge.metric, higher_is_better: judge.higher }),
    prompts: JSON.stringify(responses.slice(0, PROMPTS_COMPARED).map(({ id }) => id)),
    runs: 1,
    responses: new Map(responses.map((response) => [response.id, response])),
    judge,
  };
}

/** Enough to tell one set of prompts from another. */
const PROMPTS_COMPARED = 20;

export interface Judge {
  readonly metric?: string;
  readonly higher: boolean;
  readonly verdictOn: (id: string, response: ResponseRecord) => Pick<Answer, 'right' | 'score'>;
}

/**
 * What says whether an answer is right: the first metric whose every value is 0, 1 or a truth value. Without one the
 * answer is compared with the expected text, if there is an expected text, and the first numeric metric gives the score.
 */
export function judgeOf(scores: readonly Scores[]): Judge {
  const values = scores.flatMap(({ metrics, records = [] }) =>
    [...new Set(records.flatMap((record) => Object.keys(record.values)))].map((metric) => ({
      metric,
      higher: metrics.find((score) => score.metric === metric)?.higher_is_better ?? true,
      byId: new Map(records.map((record) => [record.id, numberOf(own(record.values, metric))])),
    })),
  );
  const measured = values.filter(({ byId }) => [...byId.values()].some((value) => value !== undefined));
  const verdict = measured.find(
    ({ byId, higher }) =>
      higher && [...byId.values()].every((value) => value === undefined || value === 0 || value === 1),
  );
  const chosen = verdict ?? measured[0];
  return {
    ...(chosen && { metric: chosen.metric }),
    higher: chosen?.higher ?? true,
    verdictOn: (id, response) => {
      const score = chosen?.byId.get(id);
      const right =
        verdict === undefined ? isExpected(response) : score === undefined ? undefined : score === 1;
      return { ...(right === undefined ? {} : { right }), ...(score === undefined ? {} : { score }) };
    },
  };
}

const numberOf = (value: Json | undefined): number | undefined =>
  typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? value : undefined;

function isExpected(response: ResponseRecord): boolean | undefined {
  const expected = response.expected.trim();
  const given = response.response ?? (response.choices === undefined ? undefined : answerText(response));
  return expected === '' || given === undefined ? undefined : given.trim() === expected;
}

function tableOf(columns: readonly Column[], runs: number): AnswerTable {
  const ids = new Set(columns.flatMap(({ responses }) => [...responses.keys()]));
  return {
    columns: columns.map(({ prompts: _, responses: __, judge: ___, runs: own, ...column }) =>
      runs > 1 && own === runs ? { ...column, in_all_runs: true } : column,
    ),
    rows: [...ids].map((id) => {
      const given = columns.map(({ responses }) => responses.get(id));
      const first = given.find((response) => response !== undefined);
      return {
        id,
        question: first === undefined ? '' : questionOf(first),
        expected: first?.expected.trim() ?? '',
        answers: given.map((response, index) =>
          response === undefined
            ? null
            : { text: answerText(response), ...columns[index]?.judge.verdictOn(id, response) },
        ),
      };
    }),
  };
}
