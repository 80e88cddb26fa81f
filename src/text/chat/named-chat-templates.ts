/** Name -> source of the chat templates that many models share, as their makers describe them. */
export const namedChatTemplates = {
  /** Qwen, SmolLM and many others. */
  chatml:
    "{% for message in messages %}{{ '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  llama3:
    "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\\n\\n' ~ message.content | trim ~ '<|eot_id|>' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
  phi3:
    "{% for message in messages %}{{ '<|' ~ message.role ~ '|>\\n' ~ message.content ~ '<|end|>\\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}",
  /** A system message comes before the first instruction. */
  mistral:
    "{{ bos_token }}{% set start = 1 if messages[0].role == 'system' else 0 %}{% for message in messages[start:] %}" +
    "{% if message.role == 'user' %}{{ '[INST] ' ~ (messages[0].content ~ '\\n\\n' if start and loop.first else '') ~ message.content ~ ' [/INST]' }}" +
    "{% else %}{{ ' ' ~ message.content | trim ~ eos_token }}{% endif %}{% endfor %}",
} as const satisfies Readonly<Record<string, string>>;
