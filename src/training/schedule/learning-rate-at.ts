import type { TrainConfig } from '../../generated/train-config.ts';

interface Moment {
  readonly schedule: TrainConfig['schedule'];
  /** The highest rate. */
  readonly peak: number;
  /** 1 is the first optimizer step. */
  readonly step: number;
  readonly totalSteps: number;
}

/**
 * The learning rate of one step: that of `get_constant_schedule_with_warmup`, `get_linear_schedule_with_warmup` and
 * `get_cosine_schedule_with_warmup` in Hugging Face's transformers, so it is zero in the first step of a warm-up.
 * With `final_share` f the falling part ends at f times the peak instead of at zero.
 */
export function learningRateAt({ schedule, peak, step, totalSteps }: Moment): number {
  const warmup = warmupSteps(schedule, totalSteps);
  const taken = step - 1;
  if (taken < warmup) return (peak * taken) / warmup;
  const progress = (taken - warmup) / Math.max(1, totalSteps - warmup);
  const final = schedule.final_share ?? 0;
  return peak * (final + (1 - final) * shareAt(schedule.name, progress));
}

/** `warmup_share` is rounded up, as `warmup_ratio` is in Hugging Face's Trainer. */
function warmupSteps(schedule: TrainConfig['schedule'], totalSteps: number): number {
  return schedule.warmup_steps ?? Math.ceil((schedule.warmup_share ?? 0) * totalSteps);
}

/** What is left of the peak at a share of the way from the end of the warm-up to the end of training. */
function shareAt(name: TrainConfig['schedule']['name'], progress: number): number {
  switch (name) {
    case 'constant':
      return 1;
    case 'linear':
      return Math.max(0, 1 - progress);
    case 'cosine':
      return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
    default:
      return name satisfies never;
  }
}
