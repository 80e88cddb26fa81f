import type { BenchmarkScore } from '../benchmark-scores.ts';

/**
 * Each model's rank by its rating, between 1 + the models that are surely better and the place behind all that are not
 * surely worse; surely, where intervals do not meet (Chatbot Arena's rank is the first bound).
 */
export function rankBounds(ratings: readonly BenchmarkScore[]): readonly BenchmarkScore[] {
  return ratings.map(({ of: model, value, interval, count }): BenchmarkScore => {
    const among = (is: (other: BenchmarkScore) => boolean): number => ratings.filter(is).length;
    const rank = 1 + among((other) => other.value > value);
    return {
      metric: 'rank',
      ...(model === undefined ? {} : { of: model }),
      value: rank,
      lower_is_better: true,
      count,
      ...(interval === undefined
        ? {}
        : {
            interval: {
              ...interval,
              low: 1 + among((other) => (other.interval?.low ?? Number.NaN) > interval.high),
              high: ratings.length - among((other) => (other.interval?.high ?? Number.NaN) < interval.low),
            },
          }),
    };
  });
}
