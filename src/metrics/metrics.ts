import { choiceMetrics } from './choices.ts';
import { judgeMetrics } from './judge.ts';
import { likelihoodMetrics } from './likelihood.ts';
import type { Metrics } from './metric.ts';
import { overlapMetrics } from './overlap.ts';
import { preferenceMetrics } from './preference.ts';
import { textMetrics } from './text.ts';

/** Metrics that need nothing but an answer and the expected ones: a training can take them as it goes. */
export const answerMetrics = { ...textMetrics, ...overlapMetrics } satisfies Metrics;

/** The metrics that belong to no benchmark. */
export const generalMetrics = {
  ...answerMetrics,
  ...choiceMetrics,
  ...likelihoodMetrics,
  ...judgeMetrics,
  ...preferenceMetrics,
} satisfies Metrics;
