import type { Score } from '../../stages/ports/scores.ts';

/** A metric's name, with what it is of: `accuracy (astronomy)`. */
export const scoreName = ({ metric, of }: Score): string => (of === undefined ? metric : `${metric} (${of})`);
