import { choiceMetrics } from './choices.ts';
import { judgeMetrics } from './judge.ts';
import { likelihoodMetrics } from './likelihood.ts';
import type { Metrics } from './metric.ts';
import { preferenceMetrics } from './preference.ts';
import { textMetrics } from './text.ts';

/** The metrics that belong to no benchmark. */
export const generalMetrics = {
  ...textMetrics,
  ...choiceMetrics,
  ...likelihoodMetrics,
  ...judgeMetrics,
  ...preferenceMetrics,
} satisfies Metrics;
