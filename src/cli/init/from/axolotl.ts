import { isList, type Json, type JsonObject, numberIn } from '../../../core/index.ts';
import { axolotlSources } from './axolotl-data.ts';
import { modelAddress, type Places } from './data-place.ts';
import type { ImportedRun } from './imported-run.ts';
import { isPlainTraining, translateAdapter, validationShare } from './run-fields.ts';
import { translateLora, translateTraining } from './training-fields.ts';
import { Translation } from './translation.ts';

/** axolotl's `rl` -> our objective. */
const objectives: Readonly<Record<string, string>> = {
  dpo: 'dpo',
  ipo: 'ipo',
  orpo: 'orpo',
  kto: 'kto',
  simpo: 'simpo',
};

/** What an axolotl configuration describes. */
export function readAxolotl(config: JsonObject, places: Places): ImportedRun {
  const translation = new Translation(config);
  const objective = objectiveOf(translation);
  const isTrainable = isPlainTraining(translation, methods);
  const { hasLora, isAdapter } = adapterOf(translation);
  const preference =
    objective === 'sft' || objective === undefined ? undefined : objective === 'kto' ? 'unpaired' : 'paired';
  const reading = { translation, places, preference } as const;
  const sources = [
    ...axolotlSources(translation.take('datasets'), { ...reading, field: 'datasets' }),
    ...axolotlSources(translation.take('pretraining_dataset'), { ...reading, field: 'pretraining_dataset' }),
  ];
  const tests = axolotlSources(translation.take('test_datasets'), { ...reading, field: 'test_datasets' });
  const share = validationShare(translation, 'val_set_size');
  // Its own defaults where ours differ. What the file says replaces them.
  translation.set('train.epochs', 1);
  translation.set('train.schedule.name', 'cosine');
  translation.set('train.clip_norm', 1);
  translateTraining(translation, { hasLora, hasPreferences: preference !== undefined });
  translateBatches(translation, preference !== undefined);
  translateTrainOn(translation);
  translateTokens(translation);
  const adapter = translateAdapter(translation, { field: 'lora_model_dir', places });
  const isDeduplicated = translation.take('dataset_exact_deduplication') === true;
  if (isDeduplicated) translation.note('dataset_exact_deduplication', 'filter: unique rows');
  const model = modelOf(translation, places);
  translation.leaveOthers();
  return {
    program: 'axolotl',
    model: { model, ...translation.settings('load') },
    adapter,
    sources,
    validation: tests.length > 0 ? tests : share,
    collate: translation.settings('collate'),
    train: translation.settings('train'),
    reach: objective === undefined ? 'load' : isTrainable && isAdapter ? 'train' : 'collate',
    isDeduplicated,
    needless: translation.needless,
    taken: translation.taken,
    left: translation.left,
  };
}

function modelOf(translation: Translation, places: Places): string {
  const revision = translation.take('revision_of_model');
  const name = String(translation.take('base_model') ?? '');
  const address = modelAddress(name, {
    ...places,
    ...(typeof revision === 'string' && { revision }),
  });
  translation.note('base_model', `load.model: ${address}`);
  if (typeof revision === 'string') translation.note('revision_of_model', `load.model: ${address}`);
  for (const field of [
    'base_model_config',
    'model_type',
    'tokenizer_type',
    'type_of_model',
    'is_llama_derived_model',
  ])
    translation.skip(field, "the model's config.json says it");
  return address;
}

function translateTokens(translation: Translation): void {
  const tokens = translation.take('tokens');
  if (tokens !== undefined && !translation.set('load.add_tokens', tokens, { field: 'tokens' }))
    translation.leave('tokens', '`add_tokens` and `add_special_tokens` of `load` are lists of tokens');
  const field = 'resize_token_embeddings_to_32x';
  if (translation.take(field) === true) translation.set('load.pad_vocabulary_to_multiple_of', 32, { field });
}

function objectiveOf(translation: Translation): string | undefined {
  const rl = translation.take('rl');
  if (rl === undefined || rl === false) return 'sft';
  const objective = objectives[String(rl)];
  if (objective !== undefined && translation.set('train.objective', objective, { field: 'rl' }))
    return objective;
  translation.leave(
    'rl',
    'there is no such objective; the model and the data are loaded, and what follows is left out',
  );
  return undefined;
}

/** Ways of training that would make another model. */
const methods: readonly string[] = [
  ...['relora', 'lisa_n_layers', 'diffusion', 'reward_model', 'process_reward_model', 'num_labels'],
  ...['qat', 'reinit_weights', 'llmcompressor', 'use_onebitllms', 'peft', 'use_eaft'],
];

function adapterOf(translation: Translation): { readonly hasLora: boolean; readonly isAdapter: boolean } {
  const adapter = translation.take('adapter');
  const fields = ['lora_r', 'lora_alpha', 'lora_target_linear', 'lora_target_modules'];
  const [rank, alpha, linear, modules] = fields.map((field) => translation.take(field));
  translation.skip('lora_fan_in_fan_out', 'the layers of the model say it');
  if (adapter === undefined) {
    for (const field of fields) translation.skip(field, 'there is no adapter');
    return { hasLora: false, isAdapter: true };
  }
  if (adapter !== 'lora' && adapter !== 'qlora') {
    translation.leave('adapter', 'LoRA is the only kind of adapter here; `train` is left out');
    return { hasLora: false, isAdapter: false };
  }
  translation.note(
    'adapter',
    'train.lora',
    adapter === 'qlora' ? 'the base is float32: it takes more memory, and is not quantized' : undefined,
  );
  translateLora(translation, {
    rank: { field: 'lora_r', value: rank ?? 8 },
    alpha: { field: 'lora_alpha', value: alpha ?? 16 },
    targets:
      linear === true
        ? { field: 'lora_target_linear', value: true }
        : modules === undefined
          ? undefined
          : { field: 'lora_target_modules', value: modules },
  });
  return { hasLora: true, isAdapter: true };
}

function translateBatches(translation: Translation, isPreference: boolean): void {
  const micro = numberIn(translation.take('micro_batch_size')) ?? 1;
  const steps = numberIn(translation.take('gradient_accumulation_steps'));
  const whole = numberIn(translation.take('batch_size'));
  const batch = steps === undefined ? (whole ?? micro) : micro * steps;
  translation.set('collate.batch_size', batch, {
    field: 'gradient_accumulation_steps',
    remark: 'times `micro_batch_size`, of one device: multiply it by the number of yours',
  });
  translation.set('train.micro_batch_size', micro, { field: 'micro_batch_size' });
  const length = numberIn(translation.take('sequence_len'));
  if (length !== undefined) translation.set('collate.max_length', length, { field: 'sequence_len' });
  const excess: Json = translation.take('excess_length_strategy') ?? 'drop';
  translation.set(
    'collate.too_long',
    excess === 'truncate' ? 'truncate' : excess === 'raise' ? 'error' : 'drop',
  );
  const packing = translation.take('sample_packing');
  if (packing === true && !isPreference)
    translation.set('collate.packing', 'examples', { field: 'sample_packing' });
  else if (packing === true) translation.leave('sample_packing', 'pairs of answers are not packed');
  for (const field of ['eval_sample_packing', 'pad_to_sequence_len', 'group_by_length', 'train_on_eos'])
    translation.skip(field, 'no step computes padding, and answers are learned with their ends');
}

function translateTrainOn(translation: Translation): void {
  const inputs = translation.take('train_on_inputs') === true;
  translation.set('collate.train_on', inputs ? 'all' : 'response', { field: 'train_on_inputs' });
  translation.skip('shuffle_merged_datasets', 'examples are shuffled in each epoch');
  const special = translation.take('special_tokens');
  if (special !== undefined && !(isList(special) && special.length === 0))
    translation.leave(
      'special_tokens',
      "the tokenizer's own special tokens are used; padding needs none here",
    );
}
