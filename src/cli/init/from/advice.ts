import { peerFields } from '../../../stages/index.ts';

/** What to say of a field that is not translated. */
export interface Advice {
  readonly text: string;
  /** Whether results do not depend on it, so that nothing is lost. */
  readonly isNothingToDo: boolean;
}

const nothing = (text: string): Advice => ({ text, isNothingToDo: true });
const something = (text: string): Advice => ({ text, isNothingToDo: false });

const recorded = nothing(
  'every run is recorded: `tuneloom runs` lists them, and `tuneloom track` sends them on',
);
const kernels = nothing('a faster way to compute the same; the backend chooses its own');
const oneDevice = something('a training runs on one device here');
const kept = nothing('results and resume state are kept in the store');
const data = nothing('data is read and prepared without such settings');

/** The beginning or a part of a field's name -> what to say. The first that fits counts. */
const patterns: readonly (readonly [RegExp, Advice])[] = [
  [
    /^(eot_tokens|added_tokens_overrides)$/,
    something('what ends a turn is what the chat template writes there'),
  ],
  [/^loss_watchdog_/, something('`on_spike` of `train` skips or stops at a loss that jumps')],
  [
    /^evals_per_epoch$/,
    something('`evaluate: { every: ... }` of `train` counts steps: divide those of an epoch'),
  ],
  [
    /^trust_remote_code$/,
    something('no code of a model is ever run: its family must be one of docs/models.md'),
  ],
  [/^infer_/, nothing('`generate`, `tuneloom chat` and `tuneloom serve` have one engine')],
  [/^(export_|adapter_name_or_path$)/, something('`tuneloom export` writes a tuned model')],
  [/^(use_)?(wandb|mlflow|swanlab|comet|trackio|tensorboard|otel|neptune)(_|$)/, recorded],
  [/^use_otel/, recorded],
  [/^(logging_|log_|plot_|report_to$|run_name$|disable_tqdm$|include_)/, recorded],
  [
    /^(liger_|use_liger|cut_cross_entropy|flash_attn|flash_attention|flex_attn|use_kernels?$|sdp_|xformers_)/,
    kernels,
  ],
  [
    /(_kernels?$|^fused_|^torch_compile|^use_scattermoe|^use_sonicmoe|^experts_implementation|^kernel_config)/,
    kernels,
  ],
  [
    /^(attn_implementation|gemma4_hybrid_attn_impl|enable_liger_kernel|use_v1_kernels|tf32|plugins)$/,
    kernels,
  ],
  [
    /^(gradient_checkpointing_kwargs|use_reentrant_gc|activation_offloading|low_cpu_mem_usage|device_map)$/,
    kernels,
  ],
  [
    /^(deepspeed|fsdp|ddp_find|ddp_backend|dp_|tensor_parallel|context_para|expert_parallel|sequence_parallel|dist_config|use_ray|ray_)/,
    oneDevice,
  ],
  [/^(save_|saves_per|output_dir|overwrite_|resume_from|auto_resume|strict$|debug$|hub_strategy)/, kept],
  [
    /^(dataset_prepared_path|dataset_processes|dataloader_|preprocessing_|data_shared|remove_unused|skip_prepare|dataset_num_proc)/,
    data,
  ],
  [
    /^(ddp_timeout|do_train|do_eval|base_model_ignore_patterns|local_rank|push_dataset_to_hub|tokenizer_use_fast|tokenizer_legacy|use_fast_tokenizer|hf_use_auth_token)$/,
    data,
  ],
  [
    /^(image_|video_|audio_|freeze_vision|freeze_multi_modal|processor_type|freeze_mm)/,
    something('models read text only here'),
  ],
  [
    /^(load_in_|bnb_|quantization_|quant_config|gptq|qat$|fp8|double_quant|quantize_|model_quantization)/,
    something('weights are float32 here; a GGUF file is a quantized base'),
  ],
  [/^(vllm|trl$)/, something('no reinforcement learning with generated answers here')],
  [
    /^(eval_|evals_per|do_causal_lm_eval|predict_with)/,
    something('`evaluate` of `train` sets when losses are measured; `generate` and `evaluate` score answers'),
  ],
];

/** Help for a field of axolotl or LLaMA-Factory that has no translation of its own. */
export function adviceFor(field: string): Advice {
  const matching = patterns.find(([pattern]) => pattern.test(field));
  const known = peerFields.get(field);
  if (matching !== undefined) return matching[1];
  if (known !== undefined) return something(known);
  return something('it has no counterpart that this command knows; see docs/coming-from.md');
}
