import type { EvaluateConfig } from '../generated/evaluate-config.ts';
import type { MeanMetric, MetricName, Metrics, ScoredResponse, SetScores } from './metric.ts';
import { bleuCounts, bleuOf } from './overlap/bleu.ts';
import { chrfCounts, chrfOf } from './overlap/chrf.ts';
import { type Rouge, rougeL, rougeLsum, rougeN } from './overlap/rouge.ts';
import { bootstrapInterval, unweighted } from './statistics.ts';

const common = { better: 'higher', reads: 'text' } as const;

/** The mean over answers of the best score over the expected answers. */
const rouge = (score: Rouge): Pick<MeanMetric, 'better' | 'reads' | 'source' | 'scoreOne'> => ({
  ...common,
  source: 'rouge-score (Lin 2004); in [0, 1]',
  scoreOne: ({ response: { response: answer = '' }, expected }, { rouge: options }) =>
    unweighted(
      Math.max(...expected.map((reference) => score(reference, answer, { stem: options.use_stemmer }))),
    ),
});

/** Metrics of the words and characters that an answer shares with the expected ones. */
export const overlapMetrics = {
  bleu: {
    ...common,
    measures:
      'The n-grams of one to four words that answers share with the expected ones, over all answers together, in percent; the field `bleu` says how words are told apart. Of each answer alone, the scores hold its sentence BLEU.',
    source: 'sacrebleu (Papineni et al. 2002), smoothed by `exp`',
    scoreAll: (responses, config) => {
      const options = config.bleu;
      return corpusScore(responses, {
        name: 'bleu',
        countsOf: (answer, expected) => bleuCounts(answer, expected, options),
        scoreOf: (counts) => bleuOf(counts),
        scoreOfOne: (counts) => bleuOf([counts], { effectiveOrder: true }),
        config,
      });
    },
  },
  chrf: {
    ...common,
    measures:
      'The n-grams of one to six characters that answers share with the expected ones, over all answers together, in percent. It needs no words, so it suits every language.',
    source: "sacrebleu's chrF2 (Popović 2015)",
    scoreAll: (responses, config) => chrfScore(responses, { name: 'chrf', wordOrder: 0, config }),
  },
  chrf_plus_plus: {
    ...common,
    measures: '`chrf` that also counts single words and pairs of words.',
    source: "sacrebleu's chrF2++ (Popović 2017)",
    scoreAll: (responses, config) => chrfScore(responses, { name: 'chrf_plus_plus', wordOrder: 2, config }),
  },
  rouge1: {
    ...rouge(rougeN(1)),
    measures:
      'F1 of the words that an answer shares with an expected one. Words are runs of ASCII letters and digits; the field `rouge` can compare their stems.',
  },
  rouge2: { ...rouge(rougeN(2)), measures: '`rouge1` of pairs of words.' },
  rouge_l: {
    ...rouge(rougeL),
    measures: 'F1 of the longest common subsequence of words.',
  },
  rouge_lsum: {
    ...rouge(rougeLsum),
    measures: '`rouge_l` of texts whose lines are sentences, as for summaries.',
  },
} satisfies Metrics;

interface CorpusMetric<Counts> {
  readonly name: MetricName;
  readonly countsOf: (answer: string, expected: readonly string[]) => Counts;
  readonly scoreOf: (counts: readonly Counts[]) => number;
  readonly scoreOfOne: (counts: Counts) => number;
  readonly config: EvaluateConfig;
}

/** A score of what is counted in all answers, with a bootstrap interval over the answers. */
function corpusScore<Counts>(
  responses: readonly ScoredResponse[],
  { name, countsOf, scoreOf, scoreOfOne, config }: CorpusMetric<Counts>,
): SetScores {
  const counted = responses.map(({ response: { id, response: answer = '' }, expected }) => ({
    id,
    counts: countsOf(answer, expected),
  }));
  const all = counted.map(({ counts }) => counts);
  const interval =
    all.length < 2
      ? undefined
      : bootstrapInterval({
          count: all.length,
          statistic: (indices) => scoreOf(indices.flatMap((index) => all.slice(index, index + 1))),
          ...config.bootstrap,
        });
  return {
    metrics: [
      {
        metric: name,
        value: scoreOf(all),
        higher_is_better: true,
        count: all.length,
        ...(interval && { interval }),
      },
    ],
    values: new Map(counted.map(({ id, counts }) => [id, scoreOfOne(counts)])),
  };
}

const chrfScore = (
  responses: readonly ScoredResponse[],
  { name, wordOrder, config }: Pick<CorpusMetric<never>, 'name' | 'config'> & { readonly wordOrder: 0 | 2 },
): SetScores =>
  corpusScore(responses, {
    ...{ name, config, scoreOf: chrfOf },
    countsOf: (answer, expected) => chrfCounts(answer, expected, wordOrder),
    scoreOfOne: (counts) => chrfOf([counts]),
  });
