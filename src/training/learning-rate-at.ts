import type { TrainConfig } from '../generated/train-config.ts';

type Schedule = TrainConfig['schedule'];

/**
 * The learning rate of one step: that of `get_constant_schedule_with_warmup`, `get_linear_schedule_with_warmup`,
 * `get_cosine_schedule_with_warmup` and `get_wsd_schedule` in Hugging Face's transformers, so it is zero in the first step
 * of a warm-up. With `final_share` f the decay ends at f times the peak instead of at zero, and a WSD's warm-up starts
 * there.
 */
export function learningRateAt({
  schedule,
  peak,
  step,
  totalSteps,
}: {
  readonly schedule: Schedule;
  /** The highest rate. */
  readonly peak: number;
  /** 1 is the first optimizer step. */
  readonly step: number;
  readonly totalSteps: number;
}): number {
  const warmup = warmupSteps(schedule, totalSteps);
  const taken = step - 1;
  const final = schedule.final_share ?? 0;
  if (taken < warmup) {
    const start = schedule.name === 'wsd' ? final : 0;
    return peak * (start + ((1 - start) * taken) / warmup);
  }
  const stable = schedule.name === 'wsd' ? totalSteps - decaySteps(schedule, totalSteps) : warmup;
  if (taken < stable) return peak;
  const progress = (taken - stable) / Math.max(1, totalSteps - stable);
  return peak * (final + (1 - final) * shareAt(shapeOf(schedule), progress));
}

/** `warmup_share` is rounded up, as `warmup_ratio` is in Hugging Face's Trainer. */
const warmupSteps = ({ warmup_steps, warmup_share = 0 }: Schedule, totalSteps: number): number =>
  warmup_steps ?? Math.ceil(warmup_share * totalSteps);

const decaySteps = ({ decay_steps, decay_share = 0.1 }: Schedule, totalSteps: number): number =>
  decay_steps ?? Math.ceil(decay_share * totalSteps);

type Shape = 'constant' | 'linear' | 'cosine' | '1-sqrt';

const shapeOf = ({ name, decay_shape = 'cosine' }: Schedule): Shape => (name === 'wsd' ? decay_shape : name);

/** The share of the peak that is left, `progress` of the way through the decay. */
function shareAt(shape: Shape, progress: number): number {
  switch (shape) {
    case 'constant':
      return 1;
    case 'linear':
      return Math.max(0, 1 - progress);
    case 'cosine':
      return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
    case '1-sqrt':
      return Math.max(0, 1 - Math.sqrt(progress));
    default:
      return shape satisfies never;
  }
}
