import { isList, type JsonObject, numberIn, own } from '../../../core/index.ts';
import { modelAddress, type Places } from './data-place.ts';
import type { ImportedRun } from './imported-run.ts';
import { llamaFactorySources } from './llama-factory-data.ts';
import { isPlainTraining, translateAdapter, validationShare } from './run-fields.ts';
import { namesIn, translateLora, translateTraining } from './training-fields.ts';
import { Translation } from './translation.ts';

/** What LLaMA-Factory's `stage` is here. */
const stages: Readonly<Record<string, 'sft' | 'pt' | 'preference' | 'kto'>> = {
  sft: 'sft',
  pt: 'pt',
  dpo: 'preference',
  kto: 'kto',
};

/** What a LLaMA-Factory configuration describes. */
export function readLlamaFactory(config: JsonObject, places: Places): ImportedRun {
  const translation = new Translation(config);
  const written = String(translation.take('stage') ?? 'sft');
  const stage = own(stages, written);
  const isObjective = objectiveOf(translation, { stage, written });
  const isTrainable = isPlainTraining(translation, methods);
  const { hasLora, isMethod } = finetuningOf(translation);
  const chat = chatOf(translation);
  const list = { translation, places, stage: stage ?? 'sft', chat } as const;
  const sources = llamaFactorySources({ ...list, field: 'dataset' });
  const tests = llamaFactorySources({ ...list, field: 'eval_dataset' });
  const share = validationShare(translation, 'val_size');
  const isPreference = stage === 'preference' || stage === 'kto';
  defaults(translation, hasLora);
  translateTraining(translation, { hasLora, hasPreferences: isPreference });
  translateBatches(translation, { stage, isPreference });
  translateMixing(translation);
  translateTokens(translation);
  const adapter = translateAdapter(translation, { field: 'adapter_name_or_path', places });
  const model = modelAddress(String(translation.take('model_name_or_path') ?? ''), places);
  translation.note('model_name_or_path', `load.model: ${model}`);
  translation.leaveOthers();
  return {
    program: 'LLaMA-Factory',
    model: { model, ...translation.settings('load') },
    adapter,
    sources,
    validation: tests.length > 0 ? tests : share,
    collate: translation.settings('collate'),
    train: translation.settings('train'),
    reach: !isObjective ? 'load' : isTrainable && isMethod ? 'train' : 'collate',
    isDeduplicated: false,
    needless: translation.needless,
    taken: translation.taken,
    left: translation.left,
  };
}

/** Its own defaults where ours differ. What the file says replaces them. */
function defaults(translation: Translation, hasLora: boolean): void {
  translation.set('train.epochs', 3);
  translation.set('train.schedule.name', 'linear');
  translation.set('train.clip_norm', 1);
  translation.set('train.optimizer.learning_rate', 5e-5);
  if (hasLora) translation.set('train.lora.dropout', 0);
}

/** `pref_loss` -> our objective and the loss of `dpo`. */
const losses: Readonly<Record<string, readonly [objective: string, loss?: string]>> = {
  sigmoid: ['dpo'],
  hinge: ['dpo', 'hinge'],
  ipo: ['ipo'],
  orpo: ['orpo'],
  simpo: ['simpo'],
};

function objectiveOf(
  translation: Translation,
  { stage, written }: { readonly stage: string | undefined; readonly written: string },
): boolean {
  const without = 'the model and the data are loaded, and what follows is left out';
  if (stage === undefined) {
    translation.leave('stage', `there is no such training; ${without}`, written);
    return false;
  }
  const loss = translation.take('pref_loss') ?? 'sigmoid';
  if (stage === 'sft' || stage === 'pt') return true;
  const [objective = 'dpo', variant] = stage === 'kto' ? ['kto'] : (own(losses, String(loss)) ?? []);
  const isKnown = stage === 'kto' || own(losses, String(loss)) !== undefined;
  if (isKnown && translation.set('train.objective', objective, { field: 'stage' })) {
    if (
      variant === undefined ||
      translation.set('train.preference.loss_type', variant, { field: 'pref_loss' })
    )
      return true;
  }
  translation.leave(
    isKnown ? 'stage' : 'pref_loss',
    `there is no such objective; ${without}`,
    isKnown ? written : loss,
  );
  return false;
}

/** Ways of training that would make another model. */
const methods: readonly string[] = [
  ...[
    'use_galore',
    'use_apollo',
    'use_badam',
    'use_adam_mini',
    'use_muon',
    'use_llama_pro',
    'mixture_of_depths',
  ],
  ...[
    'pissa_init',
    'use_asft_loss',
    'use_dft_loss',
    'use_eaft_loss',
    'reward_model',
    'shift_attn',
    'use_unsloth',
  ],
];

function finetuningOf(translation: Translation): { readonly hasLora: boolean; readonly isMethod: boolean } {
  const method = String(translation.take('finetuning_type') ?? 'lora');
  const [rank, alpha, target] = ['lora_rank', 'lora_alpha', 'lora_target'].map((field) =>
    translation.take(field),
  );
  if (method === 'full') {
    translation.note('finetuning_type', 'train: all weights');
    for (const field of ['lora_rank', 'lora_alpha', 'lora_target'])
      translation.skip(field, 'there is no adapter');
    return { hasLora: false, isMethod: true };
  }
  if (method !== 'lora') {
    translation.leave(
      'finetuning_type',
      'there is LoRA and full training, and `trainable` of `train` for chosen weights; `train` is left out',
      method,
    );
    return { hasLora: false, isMethod: false };
  }
  translation.note('finetuning_type', 'train.lora');
  const value = typeof target === 'string' && target !== 'all' ? namesIn(target) : (target ?? 'all');
  translateLora(translation, {
    rank: { field: 'lora_rank', value: rank ?? 8 },
    alpha: { field: 'lora_alpha', value: alpha ?? 2 * (numberIn(rank) ?? 8) },
    targets: { field: 'lora_target', value },
  });
  return { hasLora: true, isMethod: true };
}

const knownTemplates: Readonly<Record<string, string>> = {
  llama3: 'llama3',
  mistral: 'mistral',
  phi: 'phi3',
  chatml: 'chatml',
};

/** How conversations are written, by `template` and its like. */
function chatOf(translation: Translation): JsonObject {
  const name = translation.take('template');
  const known = own(knownTemplates, String(name));
  if (name !== undefined)
    translation.note(
      'template',
      known === undefined ? 'format.template: chat' : `format.template.chat: ${known}`,
      known === undefined
        ? `the tokenizer's own chat template, not LLaMA-Factory's \`${name}\`: compare them with \`tuneloom show format\``
        : undefined,
    );
  const system = translation.take('default_system');
  if (typeof system === 'string') translation.note('default_system', 'format.system');
  const isLast = translation.take('mask_history') === true;
  if (isLast) translation.note('mask_history', 'format.train_on_turns: last');
  return {
    template: known === undefined ? 'chat' : { chat: known },
    ...(typeof system === 'string' && { system }),
    ...(isLast && { train_on_turns: 'last' }),
  };
}

function translateBatches(
  translation: Translation,
  { stage, isPreference }: { readonly stage: string | undefined; readonly isPreference: boolean },
): void {
  const micro = numberIn(translation.take('per_device_train_batch_size')) ?? 8;
  const steps = numberIn(translation.take('gradient_accumulation_steps')) ?? 1;
  translation.set('collate.batch_size', micro * steps, {
    field: 'gradient_accumulation_steps',
    remark: 'times `per_device_train_batch_size`, of one device: multiply it by the number of yours',
  });
  translation.set('train.micro_batch_size', micro, { field: 'per_device_train_batch_size' });
  translation.set('collate.max_length', numberIn(translation.take('cutoff_len')) ?? 2048, {
    field: 'cutoff_len',
  });
  const packing = translation.take('packing');
  const isPacked = translation.take('neat_packing') === true;
  if (stage === 'pt' && packing !== false) translation.set('collate.packing', true, { field: 'packing' });
  else if ((isPacked || packing === true) && !isPreference)
    translation.set('collate.packing', isPacked ? 'examples' : true, {
      field: isPacked ? 'neat_packing' : 'packing',
    });
  const isAll = translation.take('train_on_prompt') === true || stage === 'pt';
  translation.set('collate.train_on', isAll ? 'all' : 'response', { field: 'train_on_prompt' });
  if (translation.take('disable_gradient_checkpointing') !== true) {
    translation.set('train.gradient_checkpointing', true);
  }
}

function translateTokens(translation: Translation): void {
  const kinds = [
    ['add_tokens', 'load.add_tokens'],
    ['add_special_tokens', 'load.add_special_tokens'],
    ['new_special_tokens', 'load.add_special_tokens'],
  ] as const;
  for (const [field, place] of kinds) {
    const value = translation.take(field);
    if (typeof value === 'string' && !translation.set(place, namesIn(value), { field }))
      translation.leave(field, `\`${place.replace('load.', '')}\` of \`load\` is a list of tokens`);
  }
}

function translateMixing(translation: Translation): void {
  const strategy = translation.take('mix_strategy');
  const shares = translation.take('interleave_probs');
  if (strategy === undefined || strategy === 'concat') return;
  translation.leave(
    'mix_strategy',
    'sources follow each other and are shuffled; give each a `weight` in `load` for how often its rows count',
    isList(shares) || shares !== undefined
      ? { mix_strategy: strategy, interleave_probs: shares ?? null }
      : strategy,
  );
}
