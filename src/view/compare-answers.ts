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
    // Answers without scores come between those that got worse and those that got better.
    const gains = new Map(changed.map(({ id }) => [id, gainOf(id, scores)]));
    const examples = changed.sort((a, b) => (gains.get(a.id) ?? 0) - (gains.get(b.id) ?? 0));
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
  /** What the record's scores were and are, where both runs have one, in the order of the metrics. */
  readonly scores: readonly ScoreChange[];
}

export interface ScoreChange {
  readonly metric: string;
  readonly before: number;
  readonly after: number;
}

/** By record, then by metric. */
type RecordScores = ReadonlyMap<string, ReadonlyMap<string, RecordScore>>;

interface RecordScore {
  readonly value: number;
  readonly higherIsBetter: boolean;
}

function changeOf(answer: {
  readonly id: string;
  readonly before: ResponseRecord | undefined;
  readonly after: ResponseRecord;
  readonly scores: ScoresOfBoth;
}): readonly AnswerChange[] {
  const { id, before, after, scores } = answer;
  const [old, current] = [before && answerText(before), answerText(after)];
  if (old === undefined || old === current) return [];
  return [
    {
      id,
      question: questionOf(after),
      expected: after.expected.trim(),
      before: old,
      after: current,
      scores: scoreChanges(id, scores).map(({ metric, before, after }) => ({
        metric,
        before: before.value,
        after: after.value,
      })),
    },
  ];
}

interface ScoresOfBoth {
  readonly before: RecordScores;
  readonly after: RecordScores;
}

function scoreChanges(id: string, { before, after }: ScoresOfBoth) {
  const earlier = before.get(id);
  return [...(after.get(id) ?? [])].flatMap(([metric, score]) => {
    const old = earlier?.get(metric);
    return old === undefined ? [] : [{ metric, before: old, after: score }];
  });
}

/** How much better a record's answer became: the sum over all of its scores. */
const gainOf = (id: string, scores: ScoresOfBoth): number =>
  scoreChanges(id, scores).reduce((sum, { before, after }) => {
    const gain = after.value - before.value;
    return sum + (after.higherIsBetter ? gain : -gain);
  }, 0);

/** The scores that all stages give to a stage's answers. With several such stages, a metric is named `stage.metric`. */
async function recordScores(store: Store, { run, stage }: StageOfRun): Promise<RecordScores> {
  const all = new Map<string, Map<string, RecordScore>>();
  const scorers = scorersOf(store, { run, stage });
  for (const scorer of scorers) {
    const { metrics, records } = (await readScores(store, { run, stage: scorer })) ?? { metrics: [] };
    const lowerIsBetter = new Set(
      metrics.filter(({ higher_is_better }) => !higher_is_better).map(({ metric }) => metric),
    );
    for (const { id, values } of records ?? [])
      for (const [metric, value] of Object.entries(values)) {
        if (typeof value !== 'number' && typeof value !== 'boolean') continue;
        const ofRecord = all.get(id) ?? new Map<string, RecordScore>();
        const name = scorers.length === 1 ? metric : `${scorer}.${metric}`;
        ofRecord.set(name, { value: Number(value), higherIsBetter: !lowerIsBetter.has(metric) });
        all.set(id, ofRecord);
      }
  }
  return all;
}

/** The answers of a stage in a run, by record id. */
const answersOf = (store: Store, at: StageOfRun): Promise<ReadonlyMap<string, ResponseRecord> | undefined> =>
  readRunOutput(store, { ...at, output: 'responses' }, async (path) => {
    const responses = await readAll(portCodecs.responses.read(path));
    return new Map(responses.map((response) => [response.id, response]));
  });
