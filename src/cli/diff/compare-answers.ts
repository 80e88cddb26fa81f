import type { Scores } from '../../metrics/index.ts';
import { contentState, type Digest, type RunRecord, readRecord, type Store } from '../../runtime/index.ts';
import { portCodecs } from '../../stages/index.ts';
import type { ResponseRecord } from '../../text/index.ts';
import { readOutput } from '../summary/outputs.ts';
import { questionOf } from '../summary/summarize-run.ts';
import { type AnswerChange, type AnswerChanges, type RunPair, stagesOf } from './run-difference.ts';

/** The answers of every stage that both runs have, record by record; those that lost most come first. */
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

type RecordScores = ReadonlyMap<string, number>;

function changeOf(answer: {
  readonly id: string;
  readonly before: ResponseRecord | undefined;
  readonly after: ResponseRecord;
  readonly scores: { readonly before: RecordScores; readonly after: RecordScores };
}): readonly AnswerChange[] {
  const { id, before, after, scores } = answer;
  const [old, current] = [before && saidIn(before), saidIn(after)];
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

/** What the model wrote, or which candidate it found likeliest, or how likely it found the response. */
function saidIn({ response, choices, log_likelihood }: ResponseRecord): string {
  if (response !== undefined) return response;
  const likeliest = choices?.reduce((best, next) =>
    next.log_likelihood > best.log_likelihood ? next : best,
  );
  return likeliest?.text ?? `log-likelihood ${log_likelihood?.toFixed(3)}`;
}

/** Unrated answers stand between those that got worse and those that got better. */
const gainOf = ({ score_before = 0, score_after = 0 }: AnswerChange): number => score_after - score_before;

/** The sum of a record's figures in all stages that rate these answers, by the record's id; the better the higher. */
async function recordScores(
  store: Store,
  { run, stage }: { readonly run: RunRecord; readonly stage: string },
): Promise<RecordScores> {
  const sums = new Map<string, number>();
  for (const rating of raters(store, { run, stage })) {
    const { metrics, records } = (await scoresOf(store, { run, stage: rating })) ?? { metrics: [] };
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

/** The stages of a run that were given a stage's answers and gave scores. */
function raters(
  store: Store,
  { run, stage }: { readonly run: RunRecord; readonly stage: string },
): readonly string[] {
  const asked = run.stages[stage];
  const answers = asked !== undefined && 'outputs' in asked ? asked.outputs.responses : undefined;
  return Object.entries(run.stages).flatMap(([id, outcome]) => {
    if (!('outputs' in outcome) || !('scores' in outcome.outputs)) return [];
    const found = readRecord(store, outcome.key);
    const inputs = found.kind === 'usable' ? Object.values(found.record.material.inputs) : [];
    return answers !== undefined && inputs.includes(answers) ? [id] : [];
  });
}

/** The content of a stage's output in a run; undefined where it has none of its own, or gc has taken it. */
async function outputOf(
  store: Store,
  { run, stage, output }: { readonly run: RunRecord; readonly stage: string; readonly output: string },
): Promise<Digest | undefined> {
  const outcome = Object.hasOwn(run.stages, stage) ? run.stages[stage] : undefined;
  const content = outcome !== undefined && 'outputs' in outcome ? outcome.outputs[output] : undefined;
  if (typeof content !== 'string') return undefined;
  return (await contentState(store, content)) === 'present' ? content : undefined;
}

interface StageOfRun {
  readonly run: RunRecord;
  readonly stage: string;
}

/** The scores that a stage gave in a run. */
export async function scoresOf(store: Store, at: StageOfRun): Promise<Scores | undefined> {
  const digest = await outputOf(store, { ...at, output: 'scores' });
  return digest && readOutput({ store, digest }, (path) => portCodecs.scores.read(path).read());
}

/** The answers that a stage gave in a run, by their records' ids. */
async function answersOf(
  store: Store,
  at: StageOfRun,
): Promise<ReadonlyMap<string, ResponseRecord> | undefined> {
  const digest = await outputOf(store, { ...at, output: 'responses' });
  return (
    digest &&
    readOutput({ store, digest }, async (path) => {
      const answers = new Map<string, ResponseRecord>();
      for await (const answer of portCodecs.responses.read(path)) answers.set(answer.id, answer);
      return answers;
    })
  );
}
