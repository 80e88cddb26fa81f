import { UserError } from '../core/index.ts';
import type { ResponseRecord } from '../text/index.ts';
import type { SetMetric } from './metric.ts';
import type { Score } from './scores.ts';
import { plainMean } from './statistics.ts';

/** A verdict on a pair of answers, seen from the first model: 1 it won, 0 it lost, one half for a tie. */
interface Judged {
  readonly id: string;
  readonly pair: string;
  readonly verdict: Verdict;
  readonly firstWins: number;
}

/**
 * Of a judge's verdicts on what `pair` wrote: how often the first model wins, a tie counting half. Each pair is shown in
 * both orders; the mean of the two is one observation, so that the standard error counts pairs, not verdicts.
 */
export const preference: SetMetric = {
  reads: 'text',
  score: (rated) => {
    const all = rated.map(({ response }) => judge(response));
    const judged = all.filter((one): one is Judged => typeof one === 'object');
    const unread = all.filter((one) => typeof one === 'string');
    if (judged.length === 0) throw nothingRead(rated[0]?.response.response ?? '');
    const pairs = pairsOf(judged);
    const both = pairs.filter(({ length }) => length > 1);
    const decided = judged.filter(({ verdict }) => verdict !== 'tie');
    const metrics: readonly (Score | undefined)[] = [
      {
        ...share('win_rate', pairs.map(meanWin)),
        ...(unread.length === 0
          ? {}
          : { left_out: { count: unread.length, reason: unreadReason, ids: unread } }),
      },
      share(
        'ties',
        judged.map(({ verdict }) => (verdict === 'tie' ? 1 : 0)),
      ),
      both.length === 0 ? undefined : share('same_verdict_in_both_orders', both.map(isConsistent)),
      decided.length === 0
        ? undefined
        : share(
            'preferred_position_a',
            decided.map(({ verdict }) => (verdict === 'a' ? 1 : 0)),
          ),
    ];
    return {
      metrics: metrics.filter((score) => score !== undefined),
      values: new Map(judged.map(({ id, firstWins }) => [id, firstWins])),
    };
  },
};

const unreadReason = 'the judge gave no verdict ([[A]], [[B]] or [[C]] for a tie)';

/** The verdict, or the id of a response that has none. */
function judge({ id, response = '', fields }: ResponseRecord): Judged | string {
  const { pair, shown_first: shownFirst } = fields;
  if (typeof pair !== 'string' || (shownFirst !== 'first' && shownFirst !== 'second'))
    throw new UserError({
      code: 'no-pair',
      message: `the response ${id} is no verdict on a pair: its row lacks \`pair\` or \`shown_first\``,
      help: 'let the stage `pair` lay the answers of two models side by side, and give its records to the judge',
    });
  const verdict = readVerdict(response);
  if (verdict === undefined) return id;
  const wins = verdict === 'tie' ? 0.5 : verdict === 'a' ? 1 : 0;
  return { id, pair, verdict, firstWins: shownFirst === 'first' ? wins : 1 - wins };
}

function pairsOf(judged: readonly Judged[]): readonly (readonly Judged[])[] {
  const pairs = new Map<string, Judged[]>();
  for (const one of judged) pairs.set(one.pair, [...(pairs.get(one.pair) ?? []), one]);
  return [...pairs.values()];
}

const meanWin = (pair: readonly Judged[]): number =>
  pair.reduce((total, { firstWins }) => total + firstWins, 0) / pair.length;

const isConsistent = (pair: readonly Judged[]): number =>
  pair.every(({ firstWins }) => firstWins === pair[0]?.firstWins) ? 1 : 0;

function share(metric: string, values: readonly number[]): Score {
  const { mean: value, standardError } = plainMean(values);
  return {
    metric,
    value,
    higher_is_better: true,
    count: values.length,
    ...(standardError === undefined ? {} : { standard_error: standardError }),
  };
}

const nothingRead = (answer: string) =>
  new UserError({
    code: 'nothing-to-score',
    message: `the metric \`preference\` can use none of the responses: ${unreadReason}; the first answer is ${JSON.stringify(answer.slice(0, 200))}`,
    help: 'ask for the verdict in that form in the prompt, and see that `max_new_tokens` leaves room for it',
  });

type Verdict = 'a' | 'b' | 'tie';

const verdicts: Readonly<Record<string, Verdict>> = { A: 'a', B: 'b', C: 'tie', TIE: 'tie' };

/**
 * What a judge of two answers decided: the last of `[[A]]`, `[[B]]`, `[[C]]` in its answer, as MT-Bench's prompts ask for
 * it (Zheng et al. 2023), or an answer that is one of these letters or `tie` alone.
 */
function readVerdict(answer: string): Verdict | undefined {
  const marked = [...answer.matchAll(/\[\[\s*(a|b|c|tie)\s*\]\]/gi)].at(-1)?.[1];
  const alone = /^\W{0,3}(a|b|c|tie)\W{0,3}$/i.exec(answer.trim())?.[1];
  return verdicts[(marked ?? alone ?? '').toUpperCase()];
}
