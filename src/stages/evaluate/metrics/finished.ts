import { type Metric, plainly } from './metric.ts';

/** 1 where the model ended its answer itself, 0 where the limit did. */
export const finished: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response }) => plainly(response.finish_reason === 'stop' ? 1 : 0),
};
