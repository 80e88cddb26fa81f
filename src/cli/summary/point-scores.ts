import type { Dag } from '../../runtime/index.ts';
import type { PointScores, StageScores } from './run-summary.ts';

/** The scores of a sweep by its points; an evaluation that several points share stands at each of them. */
export const pointScores = (
  points: NonNullable<Dag['points']>,
  scores: readonly StageScores[],
): readonly PointScores[] =>
  points.map(({ label, params, stages }) => ({
    point: label,
    params,
    scores: [...stages].flatMap(([id, node]) =>
      scores.filter(({ stage }) => stage === node).map(({ metrics }) => ({ stage: id, metrics })),
    ),
  }));
