import type { TrainConfig } from '../../generated/train-config.ts';
import type { ConfigProblem } from '../../runtime/stage/stage-definition.ts';

type Schedule = TrainConfig['schedule'];

/** What a schedule says twice, and what it says that its kind has no use for. */
export function* scheduleProblems(schedule: Schedule): Generator<ConfigProblem> {
  for (const part of ['warmup', 'decay'] as const)
    if (schedule[`${part}_steps`] !== undefined && schedule[`${part}_share`] !== undefined)
      yield {
        pointer: `/schedule/${part}_share`,
        code: part === 'warmup' ? 'two-warmups' : 'two-decays',
        message: `\`${part}_share\` and \`${part}_steps\` both say how long the ${part === 'warmup' ? 'warm-up' : 'decay'} is`,
        help: 'keep one of them',
      };
  if (schedule.name === 'constant' && schedule.final_share !== undefined)
    yield unused(
      'final_share',
      'choose `name: linear`, `name: cosine` or `name: wsd`, or leave it out',
      schedule,
    );
  for (const field of ['decay_steps', 'decay_share', 'decay_shape'] as const)
    if (schedule.name !== 'wsd' && schedule[field] !== undefined)
      yield unused(field, 'choose `name: wsd`, or leave it out', schedule);
}

const unused = (field: keyof Schedule, help: string, { name }: Schedule): ConfigProblem => ({
  pointer: `/schedule/${field}`,
  code: 'unused-field',
  message: `\`${field}\` means nothing to a ${name} schedule`,
  help,
});
