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
  ['train', 'optimizer.name', ['optim']],
  ['train', 'learning_rate_multipliers', ['lr_groups']],
  ['train', 'layerwise_lr_decay', ['layer_decay', 'llrd', 'lr_layer_decay']],
  ['train', 'evaluate.generation', ['predict_with_generate', 'eval_table_size', 'do_causal_lm_eval']],
  ['train', 'evaluate.generation.metrics', ['eval_causal_lm_metrics', 'compute_metrics']],
  ['train', 'evaluate.generation.max_new_tokens', ['generation_max_length', 'eval_max_new_tokens']],
  ['train', 'schedule.name', ['lr_scheduler_type', 'lr_scheduler']],
  ['train', 'schedule.warmup_share', ['warmup_ratio']],
  ['train', 'clip_norm', ['max_grad_norm', 'gradient_clipping', 'grad_clip']],
  [
    'train',
    'evaluate.every',
    ['eval_steps', 'eval_strategy', 'evaluation_strategy', 'evals_per_epoch', 'eval_on_start'],
  ],
  ['train', 'early_stop.patience', ['early_stopping_patience']],
  ['train', 'keep', ['load_best_model_at_end']],
  ['train', 'metric_for_best_model', ['greater_is_better', 'early_stopping_metric']],
  ['train', 'keep_epochs', ['save_total_limit', 'save_strategy', 'saves_per_epoch', 'save_steps']],
  ['train', 'seed', ['data_seed']],
  ['train', 'micro_batch_size', ['eval_batch_size', 'per_device_eval_batch_size', 'auto_find_batch_size']],
  ['train', 'pad_to_multiple_of', ['pad_to_sequence_len']],
  ['train', 'lora.r', ['lora_r', 'lora_rank']],
  ['train', 'lora.alpha', ['lora_alpha']],
  ['train', 'lora.dropout', ['lora_dropout']],
  ['train', 'lora.targets', ['lora_target', 'lora_target_modules', 'lora_target_linear', 'target_modules']],
  ['train', 'lora.use_rslora', ['peft_use_rslora']],
  ['train', 'objective', ['rl', 'pref_loss', 'pref_loss_type']],
  ['train', 'preference.beta', ['rl_beta', 'dpo_beta', 'pref_beta', 'orpo_alpha', 'kto_beta']],
  ['train', 'preference.label_smoothing', ['dpo_label_smoothing', 'cpo_label_smoothing']],
  ['train', 'preference.desirable_weight', ['kto_desirable_weight', 'kto_chosen_weight']],
  ['train', 'preference.undesirable_weight', ['kto_undesirable_weight', 'kto_rejected_weight']],
  ['format', 'preference', ['ranking']],
  ['train', 'lora.use_dora', ['peft_use_dora']],
  ['train', 'lora.modules_to_save', ['lora_modules_to_save', 'additional_target']],
  ['load', 'adapter', ['lora_model_dir', 'adapter_name_or_path']],
  ['train', 'trainable', ['unfrozen_parameters', 'freeze_trainable_layers', 'freeze_trainable_modules']],
  ['train', 'trainable_tokens', ['trainable_token_indices', 'peft_trainable_token_indices']],
  ['train', 'precision', ['bf16', 'fp16', 'bfloat16', 'float16', 'mixed_precision', 'amp']],
  ['train', 'padding_free', ['group_by_length']],
  ['train', 'dropout', ['attention_dropout', 'resid_pdrop']],
  ['collate', 'batch_size', ['per_device_train_batch_size', 'train_batch_size']],
  [
    'collate',
    'max_length',
    ['sequence_len', 'cutoff_len', 'max_seq_length', 'max_seq_len', 'block_size', 'model_max_length'],
  ],
  ['collate', 'packing', ['sample_packing', 'neat_packing', 'eval_sample_packing', 'packing_strategy']],
  ['collate', 'train_on', ['train_on_inputs', 'train_on_prompt', 'completion_only_loss']],
  ['collate', 'drop_last', ['dataloader_drop_last']],
  ['collate', 'shuffle', ['disable_shuffling', 'shuffle_merged_datasets', 'shuffle_dataset']],
  ['format', 'train_on_turns', ['mask_history', 'assistant_only_loss']],
  ['format', 'train_on_roles', ['roles_to_train']],
  ['format', 'template', ['chat_template', 'prompt_template']],
  ['format', 'system', ['default_system', 'default_system_message']],
  ['load', 'add_tokens', ['new_tokens', 'tokens', 'added_tokens']],
  ['load', 'add_special_tokens', ['additional_special_tokens', 'extra_special_tokens', 'special_tokens']],
  [
    'load',
    'pad_vocabulary_to_multiple_of',
    ['resize_token_embeddings_to_32x', 'resize_vocab', 'pad_vocab_to_multiple_of'],
  ],
  ['load', 'model', ['base_model', 'model_name_or_path', 'model_name']],
  [
    'load',
    'records',
    [
      ...['datasets', 'dataset', 'dataset_name', 'dataset_dir', 'train_file', 'data_files'],
      ...['eval_dataset', 'test_datasets'],
    ],
  ],
  ['load', 'limit', ['max_samples', 'max_train_samples', 'num_samples']],
  ['load', 'seed', ['interleave_probs', 'mix_strategy']],
  ['filter', 'rules', ['dataset_exact_deduplication', 'min_sample_len']],
  ['format', 'conversation.field', ['field_messages']],
  ['format', 'conversation.role', ['message_field_role', 'role_tag']],
  ['format', 'conversation.content', ['message_field_content', 'content_tag']],
  ['format', 'conversation.train', ['message_field_training']],
  ['split', 'parts', ['val_set_size', 'val_size', 'test_size']],
  ['load', 'num_fewshot', ['n_shot', 'num_shots', 'fewshot']],
  ['generate', 'max_new_tokens', ['max_tokens', 'max_gen_toks', 'max_gen_len']],
  ['tokenize', 'encoding', ['tokenizer_name', 'tokenizer_config', 'tokenizer_type']],
];

const float32 = 'weights are float32; `precision` of `train` sets the type of products: `bf16` or `fp16`';
const quantizedBase =
  '`base_precision` of `train` keeps the base of an adapter in 8 or 4 bits: `int8` or `int4`';

const attention = 'attention has one implementation here, which the backend chooses';
const oneDevice = 'a training runs on one device';
const tracking = 'every run is recorded: `tuneloom runs` lists them and `tuneloom report` draws them';

/** What to do where one field here does not do the same. */
const advice: Readonly<Record<string, string>> = {
  gradient_accumulation_steps:
    'set `micro_batch_size` of `train`: how many examples of a batch are computed at a time; `batch_size` of `collate` counts those of a whole step',
  finetuning_type:
    'add `lora` to `train` to train adapters, or `trainable` for chosen parameters; without them all weights are trained',
  stage: '`objective` of `train` says what it trains on: examples, pairs of answers or labeled answers',
  load_in_4bit: quantizedBase,
  load_in_8bit: quantizedBase,
  quantization_bit: quantizedBase,
  quantization_config: quantizedBase,
  ref_model: 'the reference is the model before training; the stage `reference` computes another',
  ref_model_name_or_path:
    'the reference is the model before training; the stage `reference` computes another',
  precompute_ref_log_probs:
    'they are always computed once; the stage `reference` keeps them for several trainings',
  tf32: float32,
  torch_dtype: float32,
  dtype: float32,
  pure_bf16: float32,
  bf16_full_eval: 'losses are measured in the `precision` of the training',
  fp16_full_eval: 'losses are measured in the `precision` of the training',
  fp16_opt_level: float32,
  loss_scale: 'in `precision: fp16` the loss is scaled as by torch.amp.GradScaler',
  flash_attention: attention,
  flash_attn: attention,
  attn_implementation: attention,
  sdp_attention: attention,
  xformers_attention: attention,
  deepspeed: oneDevice,
  fsdp: oneDevice,
  fsdp_config: oneDevice,
  ddp_timeout: oneDevice,
  max_steps: 'the length of a training is set by `epochs`',
  output_dir: 'results are kept in the store; `tuneloom export` writes a model to a folder',
  overwrite_output_dir: 'results are kept in the store, and none overwrites another',
  dataset_prepared_path: 'prepared data is kept in the store by itself',
  overwrite_cache: 'what changed is prepared again by itself; `tuneloom run --force <stage>` does it anyway',
  preprocessing_num_workers: '`tuneloom run --jobs` sets how many stages run at a time',
  logging_steps: 'every step is logged',
  report_to: tracking,
  wandb_project: tracking,
  wandb_name: tracking,
  run_name: tracking,
  plot_loss: '`tuneloom plot history` draws the losses',
  resume_from_checkpoint: 'an interrupted training resumes by itself',
  auto_resume_from_checkpoints: 'an interrupted training resumes by itself',
  push_to_hub: '`tuneloom export --push` uploads a model',
  hub_model_id: '`tuneloom export --push` uploads a model',
  trust_remote_code: 'no code of a model is ever run',
};

/** Help for a field that another program has. */
export const peerFields: ReadonlyMap<string, string> = new Map([
  ...fieldsOfPeers.flatMap(([stage, field, theirs]) =>
    theirs.map((name) => [name, `it is \`${field}\` of \`${stage}\` here`] as const),
  ),
  ...Object.entries(advice),
]);

const in8Bits =
  "an optimizer in 8 bits is not supported: bitsandbytes' code for processors and for GPUs rounds its state differently, so there is nothing to agree with; `adafactor` and `lion` take less memory too";
const usualAdamW = "write `adamw`: it has PyTorch's formula";

/** Help for a value that another program takes. */
export const peerValues: ReadonlyMap<string, string> = new Map([
  ...['adamw_8bit', 'adamw_bnb_8bit', 'paged_adamw_8bit', 'lion_8bit', 'adam8bit'].map(
    (name) => [name, in8Bits] as const,
  ),
  ...['adamw_torch', 'adamw_torch_fused', 'adamw_hf', 'adamw_apex_fused', 'paged_adamw_32bit'].map(
    (name) => [name, usualAdamW] as const,
  ),
  ['lion_32bit', 'write `lion`'],
  ['bfloat16', 'write `bf16`'],
  ['float16', 'write `fp16`'],
  ['half', 'write `fp16`'],
  ['fp32', 'write `float32`'],
]);
