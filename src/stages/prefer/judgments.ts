import { isObject, type JsonObject, RecordProblems, UserError } from '../../core/index.ts';
import { answerKey, pairVerdict, readRatings } from '../../metrics/index.ts';
import { type DataRecord, parseResponse } from '../../text/index.ts';

/** Two answers to one prompt. */
export interface AnswerPair {
  readonly id: string;
  readonly prompt: string;
  /** The row that the prompt was made from. */
  readonly fields: JsonObject;
  readonly first: string;
  readonly second: string;
}

interface Judgments {
  /** Pair -> by how much the first answer is better: the mean over its judgments. */
  readonly differences: ReadonlyMap<string, number>;
  /** Judgments that say nothing of these pairs. */
  readonly unread: number;
}

/**
 * What is said of pairs: a judge's verdicts on what `pair` wrote, people's ratings (`tuneloom review`), or their votes
 * (the arena of `tuneloom ui`). Throws a UserError for records of any other kind, and for verdicts on other answers.
 */
export function readJudgments(records: readonly DataRecord[], pairs: readonly AnswerPair[]): Judgments {
  const [first] = records;
  if (first === undefined || isVerdict(first)) return verdictsOn(records, pairs);
  if (isRating(first)) return ratingsOf(records, pairs);
  if (isVote(first)) return votesOn(records, pairs);
  throw new UserError({
    code: 'no-judgments',
    message: `the record ${first.id} at the port \`judgments\` is no verdict, rating or vote`,
    help: "bind a judge's responses to the records of `pair`, or the loaded file of `tuneloom review` or of the arena",
    records: [{ id: first.id }],
  });
}

const isVerdict = ({ response, fields }: DataRecord): boolean =>
  typeof response === 'string' && isObject(fields);

const isRating = ({ key, score }: DataRecord): boolean => typeof key === 'string' && score !== undefined;

const isVote = ({ winner, answers }: DataRecord): boolean =>
  typeof winner === 'string' && Array.isArray(answers);

function verdictsOn(records: readonly DataRecord[], pairs: readonly AnswerPair[]): Judgments {
  const byId = new Map(pairs.map((pair) => [pair.id, pair]));
  const problems = new RecordProblems('are verdicts on other answers');
  const shares = new Map<string, number[]>();
  let unread = 0;
  for (const [index, record] of records.entries())
    problems.collect({ id: record.id }, () => {
      const response = parseResponse(record, `judgments:${index + 1}`);
      const verdict = pairVerdict(response);
      const pair = byId.get(String(response.fields.pair));
      if (verdict === undefined || pair === undefined) unread += 1;
      else {
        checkShown(response.fields, pair);
        shares.set(pair.id, [...(shares.get(pair.id) ?? []), 2 * verdict.firstWins - 1]);
      }
    });
  problems.throwIfAny();
  return { differences: meansOf(shares), unread };
}

/** Throws if the judge saw other answers than those that are bound. */
function checkShown({ answer_a, answer_b, shown_first }: JsonObject, { first, second }: AnswerPair): void {
  const [a, b] = shown_first === 'first' ? [first, second] : [second, first];
  if (answer_a === a && answer_b === b) return;
  throw new UserError({
    code: 'other-answers',
    message: 'the judge was shown other answers',
    help: 'bind to `first` and `second` what `pair` was given',
  });
}

function ratingsOf(records: readonly DataRecord[], pairs: readonly AnswerPair[]): Judgments {
  const ratings = readRatings(records);
  const used = new Set<string>();
  const meanOf = ({ prompt }: AnswerPair, response: string): number | undefined => {
    const key = answerKey({ prompt, response });
    const scores = (ratings.get(key) ?? []).map(({ score }) => score);
    if (scores.length > 0) used.add(key);
    return scores.length === 0 ? undefined : mean(scores);
  };
  const differences = new Map<string, number>();
  for (const pair of pairs) {
    const [first, second] = [meanOf(pair, pair.first), meanOf(pair, pair.second)];
    if (first !== undefined && second !== undefined) differences.set(pair.id, first - second);
  }
  return { differences, unread: ratings.size - used.size };
}

function votesOn(records: readonly DataRecord[], pairs: readonly AnswerPair[]): Judgments {
  const byAnswers = new Map<string, { readonly id: string; readonly sign: 1 | -1 }>();
  for (const { id, prompt, first, second } of pairs) {
    const [a, b] = [first, second].map((response) => answerKey({ prompt, response }));
    byAnswers.set(`${a} ${b}`, { id, sign: 1 });
    byAnswers.set(`${b} ${a}`, { id, sign: -1 });
  }
  const problems = new RecordProblems('are no votes');
  const votes = new Map<string, number[]>();
  let unread = 0;
  for (const { id, winner, answers } of records)
    problems.collect({ id }, () => {
      const pair = byAnswers.get(Array.isArray(answers) ? answers.join(' ') : '');
      const value = voteOf(winner);
      if (pair === undefined) unread += 1;
      else votes.set(pair.id, [...(votes.get(pair.id) ?? []), value * pair.sign]);
    });
  problems.throwIfAny();
  return { differences: meansOf(votes), unread };
}

function voteOf(winner: unknown): number {
  if (winner === 'model_a') return 1;
  if (winner === 'model_b') return -1;
  if (winner === 'tie' || winner === 'tie (bothbad)') return 0;
  throw new UserError({
    code: 'bad-vote',
    message: `its \`winner\` is ${JSON.stringify(winner) ?? 'missing'}`,
    help: 'a winner is `model_a`, `model_b`, `tie` or `tie (bothbad)`',
  });
}

const meansOf = (values: ReadonlyMap<string, readonly number[]>): ReadonlyMap<string, number> =>
  new Map([...values].map(([id, numbers]) => [id, mean(numbers)]));

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
