import { UserError } from '../core/index.ts';
import type { ResponseRecord } from '../text/index.ts';
import type { Metrics, ScoredResponse, SetScores } from './metric.ts';
import { leftOutField, meanOf } from './scores.ts';
import { grouped } from './statistics.ts';

export const preferenceMetrics = {
  preference: {
    better: 'higher',
    reads: 'text',
    measures:
      "Of a judge's verdicts on what `pair` wrote: how often the first model wins, a tie counting half and each pair once; and how often verdicts are ties, agree in both orders and prefer position A.",
    source: 'MT-Bench (Zheng et al. 2023)',
    scoreAll: scorePreference,
  },
} satisfies Metrics;

type Verdict = 'a' | 'b' | 'tie';

/** A verdict on a pair of answers, seen from the first model: 1 for a win, 0 for a loss, one half for a tie. */
interface Judged {
  readonly id: string;
  readonly pair: string;
  readonly verdict: Verdict;
  readonly firstWins: number;
}

/**
 * Each pair is shown in both orders; the mean of the two verdicts is one observation, so that the standard error counts
 * pairs, not verdicts.
 */
function scorePreference(responses: readonly ScoredResponse[]): SetScores {
  const verdicts = responses.map(({ response }) => ({ id: response.id, judged: pairVerdict(response) }));
  const judged = verdicts.flatMap((one) => one.judged ?? []);
  const unread = verdicts.flatMap((one) => (one.judged === undefined ? [one.id] : []));
  if (judged.length === 0) throw nothingRead(responses[0]?.response.response ?? '');
  const pairs = [...grouped(judged, ({ pair }) => pair).values()];
  const shares = {
    ties: judged.map(({ verdict }) => verdict === 'tie'),
    same_verdict_in_both_orders: pairs
      .filter(({ length }) => length > 1)
      .map((pair) => pair.every(({ firstWins }) => firstWins === pair[0]?.firstWins)),
    preferred_position_a: judged
      .filter(({ verdict }) => verdict !== 'tie')
      .map(({ verdict }) => verdict === 'a'),
  };
  return {
    metrics: [
      { ...meanOf('win_rate', pairs.map(meanWin)), ...leftOutField(unreadReason, unread) },
      ...Object.entries(shares)
        .filter(([, { length }]) => length > 0)
        .map(([metric, values]) => meanOf(metric, values.map(Number))),
    ],
    values: new Map(judged.map(({ id, firstWins }) => [id, firstWins])),
  };
}

const unreadReason = 'the judge gave no verdict ([[A]], [[B]] or [[C]] for a tie)';

/** A judge's verdict on what `pair` wrote; undefined if the response has none. Throws if it is about no pair. */
export function pairVerdict({ id, response = '', fields }: ResponseRecord): Judged | undefined {
  const { pair, shown_first: shownFirst } = fields;
  if (typeof pair !== 'string' || (shownFirst !== 'first' && shownFirst !== 'second'))
    throw new UserError({
      code: 'no-pair',
      message: `the response ${id} is no verdict on a pair: its row lacks \`pair\` or \`shown_first\``,
      help: 'let the stage `pair` lay the answers of two models side by side, and give its records to the judge',
    });
  const verdict = readVerdict(response);
  if (verdict === undefined) return undefined;
  const wins = verdict === 'tie' ? 0.5 : verdict === 'a' ? 1 : 0;
  return { id, pair, verdict, firstWins: shownFirst === 'first' ? wins : 1 - wins };
}

const meanWin = (pair: readonly Judged[]): number =>
  pair.reduce((total, { firstWins }) => total + firstWins, 0) / pair.length;

const nothingRead = (answer: string) =>
  new UserError({
    code: 'nothing-to-score',
    message: `the metric \`preference\` can use none of the responses: ${unreadReason}; the first answer is ${JSON.stringify(answer.slice(0, 200))}`,
    help: 'ask for the verdict in that form in the prompt, and see that `max_new_tokens` leaves room for it',
  });

const verdicts: Readonly<Record<string, Verdict>> = { A: 'a', B: 'b', C: 'tie', TIE: 'tie' };

/**
 * A judge's verdict on two answers: the last of `[[A]]`, `[[B]]`, `[[C]]` in its answer, as MT-Bench's prompts ask for
 * it (Zheng et al. 2023), or an answer that consists of one of these letters or of `tie`.
 */
function readVerdict(answer: string): Verdict | undefined {
  const marked = [...answer.matchAll(/\[\[\s*(a|b|c|tie)\s*\]\]/gi)].at(-1)?.[1];
  const alone = /^\W{0,3}(a|b|c|tie)\W{0,3}$/i.exec(answer.trim())?.[1];
  return verdicts[(marked ?? alone ?? '').toUpperCase()];
}
