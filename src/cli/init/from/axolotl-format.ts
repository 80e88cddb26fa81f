import { isList, isObject, type Json, type JsonObject, own } from '../../../core/index.ts';
import { type ImportedSource, present } from './imported-run.ts';
import type { Translation } from './translation.ts';

/** One of axolotl's datasets while its format is translated. */
export interface FormatReading {
  readonly translation: Translation;
  /** Such as `datasets[0]`. */
  readonly place: string;
  readonly preference: 'paired' | 'unpaired' | undefined;
  /** The dataset's fields that have been dealt with. */
  readonly read: Set<string>;
}

const inputs = 'paired with an input that provides further context.';
const request = 'Write a response that appropriately completes the request.';

/** What axolotl's own prompts look like. */
const prompts: Readonly<Record<string, JsonObject>> = {
  alpaca: {
    prompt: `{% if input %}Below is an instruction that describes a task, ${inputs} ${request}\n\n### Instruction:\n{{ instruction }}\n\n### Input:\n{{ input }}{% else %}Below is an instruction that describes a task. ${request}\n\n### Instruction:\n{{ instruction }}{% endif %}`,
    header: '\n\n### Response:\n',
    response: '{{ output }}',
  },
  'alpaca:chat': {
    prompt: `SYSTEM: Below is an instruction that describes a task{% if input %}, ${inputs}{% else %}.{% endif %} ${request}\nUSER: {{ instruction }}{% if input %}\n{{ input }}{% endif %}`,
    header: '\nASSISTANT:',
    response: '{{ output }}',
  },
};

type Written = Pick<ImportedSource, 'format' | 'fields'>;

/** How the rows of one of axolotl's datasets are written; undefined if that cannot be translated, which is said. */
export function axolotlFormat(dataset: JsonObject, reading: FormatReading): Written | undefined {
  const { translation, place, preference, read } = reading;
  const { type } = dataset;
  if (isObject(type)) return userTemplate(type, reading);
  const name = typeof type === 'string' ? type : '';
  if (own(prompts, name) !== undefined && preference === undefined)
    return { format: { template: prompts[name] ?? {} } };
  if (name === 'completion' || name === 'pretrain') {
    for (const field of ['field', 'text_column']) read.add(field);
    const field = dataset.field ?? dataset.text_column;
    return {
      format: { template: 'completion' },
      ...(typeof field === 'string' && field !== 'text' && { fields: { text: field } }),
    };
  }
  if (/^(chat_template|sharegpt)(\.|$)/.test(name) && !name.startsWith('chat_template.argilla'))
    return chatFormat(dataset, reading);
  translation.leave(
    `${place}.type`,
    name === ''
      ? 'say how its rows are written: a `template` of `format`'
      : 'write its prompt as a `template` of `format`, in Jinja; axolotl has it as Python code',
    type ?? null,
  );
  return undefined;
}

/** `{instruction}` in the formats of axolotl's own prompt types is a field here. */
function userTemplate(type: JsonObject, { translation, place }: FormatReading): Written {
  const text = (field: string, otherwise: string): string => {
    const value = type[field];
    return typeof value === 'string' ? value : otherwise;
  };
  const names: Readonly<Record<string, string>> = {
    instruction: text('field_instruction', 'instruction'),
    input: text('field_input', 'input'),
    output: text('field_output', 'output'),
    system: text('field_system', 'system'),
  };
  const jinja = (format: string): string =>
    format.replaceAll(/\{(instruction|input|system)\}/g, (_, field: string) => `{{ ${names[field]} }}`);
  const whole = jinja(text('format', '{instruction}'));
  const bare = type.no_input_format;
  const prompt =
    typeof bare === 'string' ? `{% if ${names.input} %}${whole}{% else %}${jinja(bare)}{% endif %}` : whole;
  const system = type.system_prompt;
  const opening =
    typeof system === 'string' && system !== ''
      ? text('system_format', '{system}').replaceAll('{system}', system)
      : '';
  translation.note(`${place}.type`, 'format.template in Jinja', 'check it with `tuneloom show format`');
  return { format: { template: { prompt: opening + prompt, response: `{{ ${names.output} }}` } } };
}

const knownTemplates: Readonly<Record<string, string>> = {
  chatml: 'chatml',
  llama3: 'llama3',
  phi_3: 'phi3',
  mistral_v1: 'mistral',
};

function chatFormat(dataset: JsonObject, { translation, place, preference, read }: FormatReading): Written {
  const fields = [
    'chat_template',
    'chat_template_jinja',
    'field_messages',
    'roles',
    'message_property_mappings',
  ];
  for (const field of [
    ...fields,
    'message_field_role',
    'message_field_content',
    'message_field_training',
    'conversation',
  ])
    read.add(field);
  for (const field of ['roles_to_train', 'field_chosen', 'field_rejected', 'field_tools']) read.add(field);
  const mapping = isObject(dataset.message_property_mappings) ? dataset.message_property_mappings : {};
  const role = mapping.role ?? dataset.message_field_role;
  const content = mapping.content ?? dataset.message_field_content;
  const roles = isObject(dataset.roles)
    ? Object.fromEntries(
        Object.entries(dataset.roles).flatMap(([ours, theirs]) =>
          [theirs]
            .flat()
            .flatMap((name) => (typeof name === 'string' && name !== ours ? [[name, ours]] : [])),
        ),
      )
    : undefined;
  const messages = dataset.field_messages;
  const isUsual = messages === undefined || ['messages', 'conversations'].includes(String(messages));
  const conversation = present({
    field: isUsual || preference !== undefined ? undefined : messages,
    role: role === 'role' || role === 'from' ? undefined : role,
    content: content === 'content' || content === 'value' ? undefined : content,
    train: dataset.message_field_training,
    roles,
  });
  const trained = isList(dataset.roles_to_train) ? dataset.roles_to_train : undefined;
  const renamed = (name: string, theirs: Json | undefined): JsonObject =>
    typeof theirs === 'string' && theirs !== name ? { [name]: theirs } : {};
  const renames = {
    ...renamed('tools', dataset.field_tools),
    ...(preference !== undefined && {
      ...renamed('prompt', messages),
      ...renamed('chosen', dataset.field_chosen),
      ...renamed('rejected', dataset.field_rejected),
    }),
  };
  return {
    format: present({
      template: templateOf(dataset, { translation, place }),
      conversation,
      train_on_roles: trained,
      preference,
    }),
    ...(Object.keys(renames).length > 0 && { fields: renames }),
  };
}

function templateOf(
  dataset: JsonObject,
  { translation, place }: Pick<FormatReading, 'translation' | 'place'>,
): JsonObject | string {
  const isOwn = dataset.chat_template !== undefined && dataset.chat_template !== null;
  const field = isOwn ? `${place}.chat_template` : 'chat_template';
  const name = isOwn ? dataset.chat_template : translation.take('chat_template');
  const source = dataset.chat_template_jinja ?? translation.take('chat_template_jinja');
  if (typeof source === 'string' && source.includes('{')) {
    translation.note(field, 'format.template.chat: its Jinja source');
    return { chat: source };
  }
  const known = own(knownTemplates, String(name));
  if (known !== undefined) {
    translation.note(field, `format.template.chat: ${known}`);
    return { chat: known };
  }
  if (name !== undefined && name !== null && name !== 'tokenizer_default')
    translation.note(
      field,
      'format.template: chat',
      `the tokenizer's own chat template, not axolotl's \`${name}\`: compare them with \`tuneloom show format\``,
    );
  return 'chat';
}
