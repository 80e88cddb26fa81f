import type { TrainConfig } from '../../generated/train-config.ts';
import type { ConfigProblem } from '../../runtime/index.ts';

/** Settings of an optimizer that contradict each other or have no effect. */
export const optimizerProblems = (config: TrainConfig): readonly ConfigProblem[] => [
  ...(config.loraplus_lr_ratio !== undefined && config.lora === undefined
    ? [unused('/loraplus_lr_ratio', '`loraplus_lr_ratio` only affects `lora`', 'add `lora`, or remove it')]
    : []),
  ...contradictions(config),
];

function contradictions({ optimizer, schedule }: TrainConfig): readonly ConfigProblem[] {
  if (optimizer.name === 'sgd')
    return optimizer.nesterov && optimizer.momentum === 0
      ? [unused('/optimizer/nesterov', '`nesterov` looks ahead by the momentum, and there is none', momentum)]
      : [];
  if (optimizer.name !== 'adafactor') return [];
  const { relative_step, warmup_init, learning_rate } = optimizer;
  if (!relative_step)
    return [
      ...(learning_rate === undefined ? [noRate] : []),
      ...(warmup_init
        ? [unused('/optimizer/warmup_init', '`warmup_init` only affects `relative_step`', relative)]
        : []),
    ];
  const plain =
    schedule.name === 'constant' &&
    schedule.warmup_steps === undefined &&
    schedule.warmup_share === undefined;
  return [
    ...(learning_rate === undefined
      ? []
      : [unused('/optimizer/learning_rate', '`relative_step` sets the learning rate itself', oneRate)]),
    ...(plain
      ? []
      : [unused('/schedule', '`relative_step` sets the learning rate, without a schedule', oneRate)]),
  ];
}

const momentum = 'set `momentum`, for example 0.9, or remove it';
const relative = 'set `relative_step: true`, or remove it';
const oneRate = 'remove it, or set `relative_step: false`';

const noRate: ConfigProblem = {
  pointer: '/optimizer',
  code: 'no-learning-rate',
  message: '`adafactor` needs a learning rate',
  help: 'set `learning_rate`, for example 1.0e-3, or let `relative_step: true` set it',
};

const unused = (pointer: string, message: string, help: string): ConfigProblem => ({
  ...{ pointer, code: 'unused-field', message, help },
});
