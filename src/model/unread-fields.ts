import { isList, isObject, type Json } from '../core/index.ts';
import { namePattern } from './name-pattern.ts';

/**
 * What becomes of a field of config.json that no parser reads. Parsers read every field that a forward pass depends on.
 * Another field is ignored if it is about something else, or if its value turns its feature off; there is a
 * note about it if it is not known at all. With any other value it could change what the model computes: it is refused.
 */
export function judgeUnread(name: string, value: Json): 'ignore' | 'note' | 'refuse' {
  const accepted = withoutEffect.get(name);
  if (accepted !== undefined)
    return value === null || isEmpty(value) || accepted.includes(value) ? 'ignore' : 'refuse';
  if (isAboutElse(name)) return 'ignore';
  const isOff = value === null || value === false || value === 0 || isEmpty(value);
  return isOff || (value === 1 && /scal|ratio|factor|multiplier/.test(name)) ? 'note' : 'refuse';
}

/** Fields that would change what a model computes -> the values with which they do not; null and empty ones never do. */
const withoutEffect: ReadonlyMap<string, readonly Json[]> = new Map([
  ...['add_cross_attention', 'is_encoder_decoder', 'tie_encoder_decoder'].map(only(false)),
  ...['use_mrope', 'use_sliding_window'].map(only(false)),
  ...['is_causal', 'use_rope'].map(only(true)),
  ...['partial_rotary_factor', 'rotary_pct'].map(only(1)),
  ...['pruned_heads', 'quantization_config', 'sliding_window'].map(only()),
]);

function only(...values: readonly Json[]) {
  return (name: string) => [name, values] as const;
}

/** Fields that no forward pass depends on, by what they are about. A `*` stands for any characters. */
const subjects = {
  // transformers' own bookkeeping begins with an underscore.
  origin: `
    _* architectures model_type auto_map is_llama_config base_model* revision commit_hash created* name model_name
    model_id author license custom_pipelines language tags description transformers* unsloth_* torch_version trl_* peft_* axolotl_*
    mergekit_*`,
  // All arithmetic is in float32, so precision and kernels make no difference.
  loading: `
    dtype torch_dtype torchscript use_bfloat16 low_cpu_mem_usage pretraining_tp *tp_plan flash_* use_flash* use_sdpa
    use_xformers attn_implementation chunk_size_feed_forward reorder_and_upcast_attn`,
  tokenizer: `
    tokenizer_* chat_template processor_class bos_token eos_token pad_token unk_token sep_token cls_token mask_token
    n_ctx n_special predict_special_tokens prefix model_max_length max_seq_len max_seq_length max_sequence_length
    seq_len seq_length`,
  training: `
    *dropout *dropout_prob *_pdrop layerdrop initializer_* init_std *gradient_checkpointing loss_type loss_function
    *_loss_coef label_smoothing* learning_rate seed neftune_*`,
  labels: `
    num_labels id2label label2id problem_type finetuning_task task_specific_params summary_* classifier_*`,
  outputs: `
    return_dict use_return_dict use_cache output_attentions output_hidden_states output_router_logits output_past
    keys_to_ignore_at_inference tf_legacy_loss is_decoder cross_attention_hidden_size`,
  generation: `
    *_token_id generation_config max_length max_new_tokens max_time min_length min_new_tokens do_sample temperature
    top_k top_p min_p typical_p epsilon_cutoff eta_cutoff num_beams num_beam_groups num_return_sequences *_penalty
    penalty_alpha guidance_scale *no_repeat_ngram_size bad_words_ids force_words_ids *suppress_tokens sequence_bias
    early_stopping renormalize_logits remove_invalid_values stop_strings token_healing output_scores output_logits
    return_dict_in_generate watermarking_config cache_implementation`,
};

const matchesSubject = Object.values(subjects).flatMap((names) => names.trim().split(/\s+/).map(namePattern));

const isAboutElse = (name: string): boolean => matchesSubject.some((matches) => matches(name));

const isEmpty = (value: Json): boolean =>
  value === '' ||
  (isList(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);
