import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { learningRateAt } from '../../src/training/learning-rate-at.ts';

type Schedule = TrainConfig['schedule'];

interface ScheduleCase extends Pick<Schedule, 'decay_steps' | 'decay_shape' | 'final_share'> {
  readonly name: Schedule['name'];
  readonly warmup_steps: number;
  readonly steps: number;
  readonly peak: number;
  readonly rates: readonly number[];
}

const cases: readonly ScheduleCase[] = JSON.parse(
  readFileSync(new URL('../fixtures/training/schedules.json', import.meta.url), 'utf8'),
);

const ratesOf = ({ peak, steps, ...schedule }: Omit<ScheduleCase, 'rates'>) =>
  Array.from({ length: steps }, (_, index) =>
    learningRateAt({ schedule, peak, step: index + 1, totalSteps: steps }),
  );

/** Rounding may differ in the last bit, because the order of a multiplication and a division does. */
const rounded = (rates: readonly number[]) => rates.map((rate) => Number(rate.toPrecision(12)));

describe('the schedule', () => {
  it.each(cases)(
    '$name $decay_shape with $warmup_steps warm-up steps gives the rates of transformers',
    ({ rates, ...settings }) => {
      expect(rounded(ratesOf(settings))).toEqual(rounded(rates));
    },
  );

  it('a decay ends at the final share, in as many steps', () => {
    const rates = ratesOf({ name: 'linear', warmup_steps: 1, steps: 5, peak: 1, final_share: 0.2 });
    expect(rounded(rates)).toEqual([0, 1, 0.8, 0.6, 0.4]);
  });

  it('a decay without a length takes a tenth of the steps, rounded up', () => {
    const rates = ratesOf({ name: 'wsd', warmup_steps: 0, steps: 11, peak: 1, decay_shape: 'linear' });
    expect(rounded(rates)).toEqual([...new Array(10).fill(1), 0.5]);
  });

  it('a warm-up share is rounded up to whole steps', () => {
    const schedule = { name: 'constant', warmup_share: 0.21 } as const;
    const rates = [1, 2, 3, 4].map((step) => learningRateAt({ schedule, peak: 1, step, totalSteps: 10 }));
    expect(rounded(rates)).toEqual(rounded([0, 1 / 3, 2 / 3, 1]));
  });
});
