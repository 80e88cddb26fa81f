import type { RunRecord } from '../../runtime/index.ts';

/** Whether a run came to an end that it put on record: of the others it is not known how long they took. */
export const isOver = (outcome: RunRecord['outcome']): boolean =>
  outcome !== 'running' && outcome !== 'killed';
