import type { StageName } from '../generated/stage-schemas.ts';

/**
 * Stage and field -> what axolotl, LLaMA-Factory and Hugging Face's trainers call it, where a mistyped name would not lead
 * there.
 */
export const fieldsOfPeers: readonly (readonly [
  stage: StageName,
  field: string,
  theirs: readonly string[],
])[] = [
  ['train', 'epochs', ['num_train_epochs', 'num_epochs', 'n_epochs', 'max_epochs']],
  ['train', 'optimizer.learning_rate', ['lr']],
  ['train', 'optimizer.weight_decay', ['wd']],
  ['train', 'optimizer.betas', ['adam_beta1', 'adam_beta2']],
  ['train', 'optimizer.epsilon', ['adam_epsilon', 'adam_eps']],
  ['train', 'schedule.name', ['lr_scheduler_type', 'lr_scheduler']],
  ['train', 'schedule.warmup_share', ['warmup_ratio']],
  ['train', 'clip_norm', ['max_grad_norm', 'gradient_clipping', 'grad_clip']],
  ['train', 'evaluate.every', ['eval_steps', 'eval_strategy', 'evaluation_strategy', 'evals_per_epoch']],
  ['train', 'early_stop.patience', ['early_stopping_patience']],
  ['train', 'keep', ['load_best_model_at_end']],
  ['train', 'keep_epochs', ['save_total_limit', 'save_strategy', 'saves_per_epoch']],
  ['train', 'seed', ['data_seed']],
  ['train', 'lora.r', ['lora_r', 'lora_rank']],
  ['train', 'lora.alpha', ['lora_alpha']],
  ['train', 'lora.dropout', ['lora_dropout']],
  ['train', 'lora.targets', ['lora_target', 'lora_target_modules', 'lora_target_linear', 'target_modules']],
  ['train', 'lora.use_rslora', ['peft_use_rslora']],
  ['train', 'trainable', ['unfrozen_parameters', 'freeze_trainable_layers']],
  ['train', 'padding_free', ['group_by_length']],
  ['collate', 'batch_size', ['per_device_train_batch_size', 'train_batch_size']],
  ['collate', 'max_length', ['sequence_len', 'cutoff_len', 'max_seq_length', 'max_seq_len', 'block_size']],
  ['collate', 'packing', ['sample_packing', 'neat_packing', 'eval_sample_packing']],
  ['collate', 'train_on', ['train_on_inputs', 'train_on_prompt', 'completion_only_loss']],
  ['format', 'train_on_turns', ['mask_history', 'assistant_only_loss']],
  ['format', 'template', ['chat_template', 'prompt_template']],
  ['load', 'model', ['base_model', 'model_name_or_path', 'model_name']],
  ['load', 'records', ['datasets', 'dataset_name', 'dataset_dir', 'train_file', 'data_files']],
  ['split', 'parts', ['val_set_size', 'val_size', 'test_size']],
  ['generate', 'max_new_tokens', ['max_tokens', 'max_gen_toks', 'max_gen_len']],
];

const float32 = 'weights and products are float32';
const noPreferences = 'preference tuning is not supported; `train` tunes on answers';
const notQuantized = 'a quantized base is not supported: weights are float32';

/** What to do where one field here does not do the same. */
const advice: Readonly<Record<string, string>> = {
  gradient_accumulation_steps:
    '`micro_batch_size` of `train` is how many examples of a batch are computed at a time; `batch_size` of `collate` counts those of a whole step',
  adapter: 'add `lora` to `train` to train adapters',
  finetuning_type:
    'add `lora` to `train` to train adapters, or `trainable` for chosen parameters; without them all weights are trained',
  load_in_4bit: notQuantized,
  load_in_8bit: notQuantized,
  rl: noPreferences,
  dpo_beta: noPreferences,
  pref_beta: noPreferences,
  bf16: float32,
  fp16: float32,
  tf32: float32,
  max_steps: 'the length of a training is set by `epochs`',
  output_dir: 'results are kept in the store; `tuneloom export` writes a model to a folder',
  logging_steps: 'every step is logged',
  resume_from_checkpoint: 'an interrupted training resumes by itself',
};

/** Help for a field that another program has. */
export const peerFields: ReadonlyMap<string, string> = new Map([
  ...fieldsOfPeers.flatMap(([stage, field, theirs]) =>
    theirs.map((name) => [name, `it is \`${field}\` of \`${stage}\` here`] as const),
  ),
  ...Object.entries(advice),
]);
