import type { RunRecord, Store } from '../runtime/index.ts';
import { portCodecs, readAll } from '../stages/index.ts';
import type { ResponseRecord } from '../text/index.ts';
import { answerText, questionOf } from './answer-text.ts';
import { readRunOutput, readScores, type StageOfRun, scorersOf } from './read-output.ts';

/** The answers of every stage that both runs have, record by record; those whose scores fell most come first. */
export async function compareAnswers(store: Store, pair: RunPair): Promise<readonly AnswerChanges[]> {
  const all: AnswerChanges[] = [];
  for (const stage of stagesOf(pair)) {
    const before = await answersOf(store, { run: pair.before, stage });
    const after = await answersOf(store, { run: pair.after, stage });
    if (before === undefined || after === undefined) continue;
    const scores = {
      before: await recordScores(store, { run: pair.before, stage }),
      after: await recordScores(store, { run: pair.after, stage }),
    };
    const both = [...after].filter(([id]) => before.has(id));
    const changed = both.flatMap(([id, answer]) =>
      changeOf({ id, before: before.get(id), after: answer, scores }),
    );
    const examples = changed.sort((a, b) => gainOf(a) - gainOf(b));
    all.push({ stage, compared: both.length, changed: changed.length, examples });
  }
  return all;
}

export interface RunPair {
  readonly before: RunRecord;
  readonly after: RunRecord;
}

/** Every stage of two runs, in the order of the later run, then those of the earlier run alone. */
export const stagesOf = ({ before, after }: RunPair): readonly string[] => [
  ...new Set([...Object.keys(after.stages), ...Object.keys(before.stages)]),
];

export interface AnswerChanges {
  readonly stage: string;
  /** Records that both runs answered. */
  readonly compared: number;
  readonly changed: number;
  /** Those that got worse first, then in the order of the records. */
  readonly examples: readonly AnswerChange[];
}

export interface AnswerChange {
  readonly id: string;
  readonly question: string;
  readonly expected: string;
  readonly before: string;
  readonly after: string;
  /** The sum of the record's scores, if a stage scores these answers; higher is better. */
  readonly score_before?: number;
  readonly score_after?: number;
}

type RecordScores = ReadonlyMap<string, number>;

function changeOf(answer: {
  readonly id: string;
  readonly before: ResponseRecord | undefined;
  readonly after: ResponseRecord;
  readonly scores: { readonly before: RecordScores; readonly after: RecordScores };
}): readonly AnswerChange[] {
  const { id, before, after, scores } = answer;
  const [old, current] = [before && answerText(before), answerText(after)];
  if (old === undefined || old === current) return [];
  const [scoreBefore, scoreAfter] = [scores.before.get(id), scores.after.get(id)];
  return [
    {
      id,
      question: questionOf(after),
      expected: after.expected.trim(),
      before: old,
      after: current,
      ...(scoreBefore === undefined ? {} : { score_before: scoreBefore }),
      ...(scoreAfter === undefined ? {} : { score_after: scoreAfter }),
    },
  ];
}

/** Answers without scores sort between those that got worse and those that got better. */
const gainOf = ({ score_before = 0, score_after = 0 }: AnswerChange): number => score_after - score_before;

/** Record id -> the sum of its scores in all stages that score these answers; higher is better. */
async function recordScores(store: Store, { run, stage }: StageOfRun): Promise<RecordScores> {
  const sums = new Map<string, number>();
  for (const scorer of scorersOf(store, { run, stage })) {
    const { metrics, records } = (await readScores(store, { run, stage: scorer })) ?? { metrics: [] };
    const lowerIsBetter = new Set(
      metrics.filter(({ higher_is_better }) => !higher_is_better).map(({ metric }) => metric),
    );
    for (const { id, values } of records ?? [])
      for (const [metric, value] of Object.entries(values)) {
        if (typeof value !== 'number' && typeof value !== 'boolean') continue;
        sums.set(id, (sums.get(id) ?? 0) + (lowerIsBetter.has(metric) ? -Number(value) : Number(value)));
      }
  }
  return sums;
}

/** The answers of a stage in a run, by record id. */
const answersOf = (store: Store, at: StageOfRun): Promise<ReadonlyMap<string, ResponseRecord> | undefined> =>
  readRunOutput(store, { ...at, output: 'responses' }, async (path) => {
    const responses = await readAll(portCodecs.responses.read(path));
    return new Map(responses.map((response) => [response.id, response]));
  });
