import type { TrainConfig } from '../../generated/train-config.ts';

/** Objective -> the fields of `preference` that it uses besides `beta`. */
export const fieldsOfObjective: Readonly<
  Record<TrainConfig['objective'], readonly (keyof TrainConfig['preference'])[]>
> = {
  sft: [],
  dpo: ['beta', 'loss_type', 'label_smoothing', 'reference_free', 'average_log_prob'],
  ipo: ['beta', 'reference_free'],
  simpo: ['beta', 'label_smoothing', 'simpo_gamma'],
  orpo: ['beta'],
  kto: ['beta', 'desirable_weight', 'undesirable_weight'],
};

/** Whether an objective compares with a reference model. */
export const usesReference = ({
  objective,
  preference,
}: Pick<TrainConfig, 'objective' | 'preference'>): boolean =>
  objective === 'kto' || ((objective === 'dpo' || objective === 'ipo') && preference.reference_free !== true);
