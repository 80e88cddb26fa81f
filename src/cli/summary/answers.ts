import { UserError } from '../../core/index.ts';
import { openContent, type Store } from '../../runtime/index.ts';
import { portCodecs } from '../../stages/index.ts';
import type { ResponseRecord } from '../../text/index.ts';
import { type Judge, judgeOf, questionOf } from '../../view/index.ts';
import { type FinishedOutput, readOutput } from './outputs.ts';

/** One prompt, and the answer of each stage. */
export interface ComparedAnswer {
  readonly question: string;
  readonly expected: string;
  readonly given: readonly {
    readonly stage: string;
    readonly response: string;
    /** Absent if nothing says whether it is right. */
    readonly right?: boolean;
  }[];
}

/** Of the stage whose answers were chosen. */
export interface AnsweredCount {
  readonly stage: string;
  readonly count: number;
  /** Absent if nothing says whether they are right. */
  readonly wrong?: number;
}

interface ChosenAnswers {
  readonly answers: readonly ComparedAnswer[];
  readonly answered?: AnsweredCount;
}

const SHOWN = 3;

/**
 * A few answers of the last stage that wrote some: the wrong ones first, or those with the lowest scores, then others. Those
 * of the stages that answered the same prompts are beside them.
 */
export async function collectAnswers(
  store: Store,
  outputs: readonly FinishedOutput[],
): Promise<ChosenAnswers> {
  const group = samePrompts(outputs.filter(({ type }) => type === 'responses'));
  const main = group.at(-1);
  if (main === undefined) return { answers: [] };
  const judges = await Promise.all(group.map((each) => judgeFor(each, { store, outputs })));
  const all = await verdictsOn(store, main, judges.at(-1));
  if (all.length === 0) return { answers: [] };
  const chosen = chooseFew(all, judges.at(-1));
  const columns = await Promise.all(group.map((each) => pick(store, each, new Set(chosen))));
  const answers = chosen.flatMap((id): readonly ComparedAnswer[] => {
    const record = columns.at(-1)?.get(id);
    if (record === undefined) return [];
    const given = group.flatMap(({ node }, index) => {
      const answer = columns[index]?.get(id);
      if (answer?.response === undefined) return [];
      const right = judges[index]?.verdictOn(id, answer).right;
      return [{ stage: node.id, response: answer.response, ...(right === undefined ? {} : { right }) }];
    });
    return [{ question: questionOf(record), expected: record.expected.trim(), given }];
  });
  const judged = all.filter(({ right }) => right !== undefined);
  const wrong = judged.filter(({ right }) => right === false).length;
  return {
    answers,
    answered: { stage: main.node.id, count: all.length, ...(judged.length === 0 ? {} : { wrong }) },
  };
}

/** The largest group of stages with the same prompts; of several such groups, the last. */
function samePrompts(outputs: readonly FinishedOutput[]): readonly FinishedOutput[] {
  const groups = new Map<string, FinishedOutput[]>();
  for (const output of outputs) {
    const { stage, output: name, part } = output.node.inputs.prompts ?? {};
    const prompts = JSON.stringify([stage, name, part]);
    groups.set(prompts, [...(groups.get(prompts) ?? []), output]);
  }
  return [...groups.values()].reduce((largest, next) => (next.length >= largest.length ? next : largest), []);
}

/** What the evaluations of a stage's answers say about each. */
async function judgeFor(
  { node }: FinishedOutput,
  { store, outputs }: { readonly store: Store; readonly outputs: readonly FinishedOutput[] },
): Promise<Judge> {
  const evaluations = outputs.filter(
    ({ type, node: scorer }) => type === 'scores' && scorer.inputs.responses?.stage === node.id,
  );
  return judgeOf(
    await Promise.all(
      evaluations.map(({ digest }) =>
        readOutput({ store, digest }, (path) => portCodecs.scores.read(path).read()),
      ),
    ),
  );
}

type Verdict = { readonly id: string } & ReturnType<Judge['verdictOn']>;

/** The verdict on each text of a stage. */
async function verdictsOn(
  store: Store,
  output: FinishedOutput,
  judge: Judge | undefined,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for await (const record of textsOf(store, output))
    verdicts.push({ id: record.id, ...judge?.verdictOn(record.id, record) });
  return verdicts;
}

/** The ids of a few answers: wrong ones, then others; or where nothing says what is right those that were not scored, then those with the worst scores. */
function chooseFew(verdicts: readonly Verdict[], judge: Judge | undefined): readonly string[] {
  const hasScores = verdicts.some(({ score }) => score !== undefined);
  if (verdicts.every(({ right }) => right === undefined) && hasScores) {
    const sign = judge?.higher === false ? -1 : 1;
    const goodness = ({ score }: Verdict) => (score === undefined ? Number.NEGATIVE_INFINITY : sign * score);
    const worst = verdicts.toSorted((a, b) => Math.sign(goodness(a) - goodness(b)) || 0);
    return worst.slice(0, SHOWN).map(({ id }) => id);
  }
  const wrong = spread(
    verdicts.filter(({ right }) => right === false),
    SHOWN,
  );
  const others = spread(
    verdicts.filter(({ right }) => right !== false),
    SHOWN - wrong.length,
  );
  return [...wrong, ...others].map(({ id }) => id);
}

/** A few, evenly spaced: neighbors are often alike. */
function spread<Item>(items: readonly Item[], most: number): readonly Item[] {
  const count = Math.min(most, items.length);
  return Array.from(
    { length: count },
    (_, index) => items[Math.floor((index * items.length) / count)],
  ).filter((item) => item !== undefined);
}

/** The records with these ids. */
async function pick(
  store: Store,
  output: FinishedOutput,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, ResponseRecord>> {
  const found = new Map<string, ResponseRecord>();
  for await (const record of textsOf(store, output)) {
    if (wanted.has(record.id)) found.set(record.id, record);
    if (found.size === wanted.size) break;
  }
  return found;
}

/** The texts that a stage wrote. They end where a stage of the user's wrote something else, which is no reason to end without a summary. */
async function* textsOf(store: Store, { digest }: FinishedOutput): AsyncGenerator<ResponseRecord> {
  await using content = await openContent(store, digest);
  try {
    for await (const record of portCodecs.responses.read(content.path))
      if (record.response !== undefined) yield record;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}
