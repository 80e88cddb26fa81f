import { isList, type Json, numberIn } from '../../../core/index.ts';
import type { Translation } from './translation.ts';

type Place = Parameters<Translation['set']>[0];

/**
 * The other programs' names for a field -> ours, where the value stays as it is. The first name that is there counts, and
 * what our schema refuses is left with its advice.
 */
const plain: readonly (readonly [theirs: readonly string[], ours: Place])[] = [
  [['learning_rate'], 'train.optimizer.learning_rate'],
  [['weight_decay'], 'train.optimizer.weight_decay'],
  [['adam_epsilon', 'adam_eps'], 'train.optimizer.epsilon'],
  [['max_grad_norm'], 'train.clip_norm'],
  [['seed'], 'train.seed'],
  [['lora_dropout'], 'train.lora.dropout'],
  [['peft_use_rslora', 'use_rslora'], 'train.lora.use_rslora'],
  [['peft_use_dora', 'use_dora'], 'train.lora.use_dora'],
  [['loraplus_lr_ratio'], 'train.loraplus_lr_ratio'],
  [['lora_modules_to_save', 'additional_target'], 'train.lora.modules_to_save'],
  [['neftune_noise_alpha', 'noisy_embedding_alpha'], 'train.neftune_noise_alpha'],
  [['early_stopping_patience'], 'train.early_stop.patience'],
  [['rl_beta', 'dpo_beta', 'pref_beta'], 'train.preference.beta'],
  [['simpo_gamma'], 'train.preference.simpo_gamma'],
  [['kto_desirable_weight', 'kto_chosen_weight'], 'train.preference.desirable_weight'],
  [['kto_undesirable_weight', 'kto_rejected_weight'], 'train.preference.undesirable_weight'],
];

/**
 * Translates the fields that Hugging Face's trainer has, under its names or those of a program on top of it. Fields of
 * adapters and of preferences count only where there are such.
 */
export function translateTraining(
  translation: Translation,
  { hasLora, hasPreferences }: { readonly hasLora: boolean; readonly hasPreferences: boolean },
): void {
  const isUsed = (place: Place): boolean =>
    (hasLora || !place.startsWith('train.lora')) &&
    (hasPreferences || !place.startsWith('train.preference.'));
  for (const [theirs, ours] of plain)
    for (const field of theirs) {
      if (!isUsed(ours)) {
        translation.skip(field, 'there is no adapter, or no preference, that it is about');
        continue;
      }
      const value = numbered(translation.peek(field));
      if (value === undefined || value === false) continue;
      const listed = field === 'additional_target' && typeof value === 'string' ? namesIn(value) : value;
      if (translation.set(ours, listed, { field })) translation.take(field);
    }
  translatePrecision(translation);
  translateEpochs(translation);
  translateOptimizer(translation);
  translateSchedule(translation);
  translateEvaluation(translation);
}

/** Their products in half precision. Weights of a half type, as in `pure_bf16`, have no counterpart: ours are float32. */
function translatePrecision(translation: Translation): void {
  for (const [field, precision] of [
    ...(['bf16', 'bfloat16'] as const).map((field) => [field, 'bf16'] as const),
    ...(['fp16', 'float16'] as const).map((field) => [field, 'fp16'] as const),
  ]) {
    const remark = 'where no backend has it, remove it: products are float32 then';
    if (translation.peek(field) === true && translation.set('train.precision', precision, { field, remark }))
      translation.take(field);
    else translation.skip(field, `products are float32 unless \`precision: ${precision}\` is set`);
  }
  for (const field of ['pure_bf16', 'torch_dtype', 'tf32'])
    translation.skip(field, 'weights are float32; `precision` of `train` sets the type of products');
}

/** YAML 1.1 takes `1e-4` for a text; the programs read it as a number. */
const numbered = (value: Json | undefined): Json | undefined =>
  typeof value === 'string' && /^[-+]?[\d.]+e[-+]?\d+$/i.test(value) ? Number(value) : value;

export const namesIn = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

function translateEpochs(translation: Translation): void {
  const [field, value] = firstOf(translation, ['num_epochs', 'num_train_epochs']);
  const epochs = numberIn(numbered(value));
  if (field !== undefined && (epochs === undefined || !translation.set('train.epochs', epochs, { field }))) {
    const rounded = Math.max(1, Math.round(epochs ?? 1));
    translation.set('train.epochs', rounded);
    translation.leave(field, `epochs are whole here; \`epochs: ${rounded}\` of \`train\` stands in`, value);
  }
  const steps = numberIn(translation.take('max_steps'));
  if (steps !== undefined && steps > 0)
    translation.leave(
      'max_steps',
      'the length of a training is set by `epochs` of `train` here; `limit` of `load` shortens the data',
    );
}

function firstOf(
  translation: Translation,
  fields: readonly string[],
): readonly [field: string | undefined, value: Json | undefined] {
  const field = fields.find((name) => translation.peek(name) !== undefined);
  for (const name of fields) translation.take(name);
  return [field, field === undefined ? undefined : translation.peek(field)];
}

const sameResult = 'the same update with float32 state';
/** The other programs' names of optimizers -> ours, the best first, and what differs. */
const optimizers: readonly (readonly [RegExp, readonly string[], string?])[] = [
  [/^adamw(_torch|_hf|_torch_fused|_apex_fused|_torch_xla)?$/, ['adamw']],
  [/^(paged_)?adamw.*(8bit|4bit|fp8|32bit)$|^adamw_torch_.*bit$/, ['adamw'], sameResult],
  [/^adafactor$/, ['adafactor']],
  [/^(paged_)?lion(_32bit)?$/, ['lion']],
  [/^(paged_)?lion_8bit$/, ['lion'], sameResult],
  [/^sgd$/, ['sgd']],
];

function translateOptimizer(translation: Translation): void {
  const [field, value] = firstOf(translation, ['optimizer', 'optim']);
  const known = optimizers.find(([pattern]) => pattern.test(String(value)));
  if (field !== undefined) {
    const remark = known?.[2];
    const name = known?.[1].find((one) =>
      translation.set('train.optimizer.name', one, { field, ...(remark === undefined ? {} : { remark }) }),
    );
    if (name === undefined)
      translation.leave(field, 'there is no such optimizer here; `train` uses `adamw`', value);
  }
  // Hugging Face's trainer decays nothing by default, and biases and norms never.
  if (translation.peek('weight_decay') === undefined) translation.set('train.optimizer.weight_decay', 0);
  translation.set('train.optimizer.decay', 'matrices');
  const first = numberIn(numbered(translation.take('adam_beta1')));
  const second = numberIn(numbered(translation.take('adam_beta2')));
  if (first === undefined && second === undefined) return;
  translation.set('train.optimizer.betas', [first ?? 0.9, second ?? 0.999], {
    field: first === undefined ? 'adam_beta2' : 'adam_beta1',
  });
}

const schedules: Readonly<Record<string, string>> = {
  constant: 'constant',
  constant_with_warmup: 'constant',
  linear: 'linear',
  cosine: 'cosine',
  cosine_with_min_lr: 'cosine',
  warmup_stable_decay: 'wsd',
};

function translateSchedule(translation: Translation): void {
  const [field, value] = firstOf(translation, ['lr_scheduler', 'lr_scheduler_type']);
  const name = typeof value === 'string' ? schedules[value] : undefined;
  if (field !== undefined && (name === undefined || !translation.set('train.schedule.name', name, { field })))
    translation.leave(
      field,
      'there is no such schedule; `schedule` of `train` has constant, linear, cosine and wsd',
      value,
    );
  translateFinalShare(translation, name);
  const steps = numberIn(numbered(translation.take('warmup_steps')));
  const ratio = numberIn(numbered(translation.take('warmup_ratio')));
  if (steps !== undefined && steps > 0) {
    const place = steps < 1 ? 'train.schedule.warmup_share' : 'train.schedule.warmup_steps';
    translation.set(place, steps, { field: 'warmup_steps' });
  } else if (ratio !== undefined && ratio > 0)
    translation.set('train.schedule.warmup_share', ratio, { field: 'warmup_ratio' });
}

function translateFinalShare(translation: Translation, schedule: string | undefined): void {
  const field = 'cosine_min_lr_ratio';
  const share = numberIn(numbered(translation.take(field)));
  if (share === undefined) return;
  if (schedule !== 'cosine') translation.skip(field, 'it is for a cosine schedule');
  else if (!translation.set('train.schedule.final_share', share, { field }))
    translation.leave(field, '`final_share` of `schedule` is what remains of the rate at the end');
}

function translateEvaluation(translation: Translation): void {
  const every = numberIn(translation.take('eval_steps'));
  if (every !== undefined && !translation.set('train.evaluate.every', every, { field: 'eval_steps' }))
    translation.leave('eval_steps', '`evaluate: { every: ... }` of `train` is a number of steps');
  if (translation.take('load_best_model_at_end') === true)
    translation.set('train.keep', 'best', { field: 'load_best_model_at_end' });
  if (translation.take('gradient_checkpointing'))
    translation.set('train.gradient_checkpointing', true, { field: 'gradient_checkpointing' });
}

/** LoRA by rank, alpha and targets. `targets`: what the program says of them; undefined for all linear layers. */
export function translateLora(
  translation: Translation,
  lora: {
    readonly rank: { readonly field: string; readonly value: Json };
    readonly alpha: { readonly field: string; readonly value: Json };
    readonly targets: { readonly field: string; readonly value: Json } | undefined;
  },
): void {
  translation.set('train.lora.r', lora.rank.value, { field: lora.rank.field });
  translation.set('train.lora.alpha', lora.alpha.value, { field: lora.alpha.field });
  const { targets } = lora;
  if (targets === undefined) return;
  const names = isList(targets.value) ? targets.value : 'all-linear';
  if (isList(targets.value) || targets.value === true || targets.value === 'all')
    translation.set('train.lora.targets', names, { field: targets.field });
  else
    translation.leave(
      targets.field,
      'it is a regular expression, or what `targets` of `lora` does not take; all linear layers get an adapter',
      targets.value,
    );
}
