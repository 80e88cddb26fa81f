import type { FormatConfig } from '../../generated/format-config.ts';
import type { ConfigProblem, InputPort } from '../../runtime/index.ts';
import { chatTemplate, knownSource, parseJinja } from '../../text/index.ts';
import { dataStage, declareStage, problemsIn } from '../declare-stage.ts';
import { type TemplateKind, templateKind } from './template-kind.ts';

const records: InputPort = { accepts: ['records', 'responses'], required: true, parts: 'each' };

/** Writes each row as the text that the model reads: a prompt, a header and a response, or the turns of a conversation. */
export const formatStage = declareStage<FormatConfig>({
  name: 'format',
  version: 3,
  ports: (config) => ({
    inputs: { records, ...shotsPort(config), ...tokenizerPort(config) },
    outputs: { records: { type: 'records' } },
  }),
  check: checkTemplate,
  recordsPort: 'records',
  ...dataStage,
  load: () => import('./run-format.ts'),
});

const shotsPort = ({ shots }: FormatConfig): { readonly shots?: InputPort } =>
  shots === undefined ? {} : { shots: { accepts: ['records'], required: false, parts: 'one' } };

/** A chat template takes its special tokens, and by default itself, from the tokenizer, which also counts the tokens of shots. */
function tokenizerPort(config: FormatConfig): { readonly tokenizer?: InputPort } {
  const template = templateKind(config);
  if (config.shots?.fit_tokens !== undefined) {
    const help = 'or leave `fit_tokens` out';
    return { tokenizer: { accepts: ['tokenizer'], required: true, parts: 'one', help } };
  }
  if (config.apply_chat_template) {
    const help = 'or leave `apply_chat_template` out';
    return { tokenizer: { accepts: ['tokenizer'], required: true, parts: 'one', help } };
  }
  if (template.kind !== 'chat') return {};
  const required = template.given === undefined || knownSource(template.given) === undefined;
  const help = 'or name a chat template: `template: { chat: chatml }`';
  return { tokenizer: { accepts: ['tokenizer'], required, parts: 'one', help } };
}

/** Refuses sources of a user's template that do not parse, and options that the template ignores. */
export function checkTemplate(config: FormatConfig): readonly ConfigProblem[] {
  return [...templateProblems(config), ...preferenceProblems(config)];
}

function templateProblems(config: FormatConfig): readonly ConfigProblem[] {
  const template = templateKind(config);
  switch (template.kind) {
    case 'benchmark':
      return [
        ...checkDescription(config),
        ...ignoredByOthers(config),
        ...(template.name === 'lm_eval' ? decidedByTask(config) : []),
      ];
    case 'named':
      return [...checkDescription(config), ...ignoredByOthers(config)];
    case 'written':
      return [...checkSources(template.sources), ...checkDescription(config), ...ignoredByOthers(config)];
    case 'chat': {
      // Any other name is that of one of the tokenizer's templates, which are not there yet.
      const source = template.given === undefined ? undefined : knownSource(template.given);
      const parsed =
        source === undefined
          ? []
          : problemsIn('/template/chat', () => chatTemplate({ source, namedTokens: {} }));
      return [...parsed, ...turnProblems(config), ...ignoredByChat(config), ...checkConversation(config)];
    }
    default:
      return template satisfies never;
  }
}

const turnProblems = ({ train_on_turns: turns }: FormatConfig): readonly ConfigProblem[] =>
  Array.isArray(turns) && turns.includes(0)
    ? [
        {
          pointer: `/train_on_turns/${turns.indexOf(0)}`,
          code: 'no-such-turn',
          message: 'there is no turn 0',
          help: 'the first turn is 1; the last is -1',
        },
      ]
    : [];

function checkSources({
  choices = [],
  ...segments
}: Extract<TemplateKind, { kind: 'written' }>['sources']): readonly ConfigProblem[] {
  const sources = Object.entries(segments).map(
    ([segment, source]) => [`/template/${segment}`, source] as const,
  );
  const listed = Array.isArray(choices)
    ? choices.map((source: string, index) => [`/template/choices/${index}`, source] as const)
    : [];
  return [...sources, ...listed].flatMap(([pointer, source]) =>
    problemsIn(pointer, () => parseJinja(source)),
  );
}

const checkDescription = ({ description }: FormatConfig): readonly ConfigProblem[] =>
  description === undefined ? [] : problemsIn('/description', () => parseJinja(description));

/** Options that mean nothing to a chat template. */
function ignoredByChat(config: FormatConfig): readonly ConfigProblem[] {
  const { apply_chat_template: applied } = config;
  const examples = (['shots', 'description'] as const).filter((field) => config[field] !== undefined);
  return [
    ...examples.map((field) =>
      ignored(
        field,
        'a template that writes conversations',
        'write the examples as turns of the conversation',
      ),
    ),
    ...(applied
      ? [ignored('apply_chat_template', 'a template that is a chat template already', 'leave it out')]
      : []),
  ];
}

/** Options for what a task of lm-evaluation-harness says itself. */
function decidedByTask({
  shots,
  description,
  apply_chat_template: applied,
}: FormatConfig): readonly ConfigProblem[] {
  const set = {
    shots: shots !== undefined,
    description: description !== undefined,
    apply_chat_template: applied,
  };
  const help =
    'write it into a task of yours that includes the other; `num_fewshot` of load sets the number of examples';
  return Object.entries(set)
    .filter(([, isSet]) => isSet)
    .map(([field]) =>
      ignored(field, 'a task of lm-evaluation-harness, which says itself how it is asked', help),
    );
}

/** Two ways to say where a row's conversation is, and a choice that only trees of messages leave. */
function checkConversation({ conversation }: FormatConfig): readonly ConfigProblem[] {
  const { field, shape, branches } = conversation;
  const problem = (name: string, message: string): ConfigProblem => ({
    pointer: `/conversation/${name}`,
    code: 'unheeded-field',
    message,
  });
  const isOther = field !== undefined || (shape !== undefined && shape !== 'oasst');
  return [
    ...(field !== undefined && shape !== undefined
      ? [problem('shape', '`shape` means nothing where `field` names the list of turns')]
      : []),
    ...(branches !== undefined && isOther
      ? [problem('branches', "`branches` means something for OpenAssistant's trees of messages only")]
      : []),
  ];
}

/** Options that mean something to chat templates only. */
function ignoredByOthers(config: FormatConfig): readonly ConfigProblem[] {
  const { system, conversation, train_on_roles: roles, train_on_turns: turns } = config;
  const { train_on_reasoning: reasoning } = config;
  const set = {
    system: system !== undefined && !config.apply_chat_template,
    conversation: Object.values(conversation).some((value) => Object.keys(value).length > 0),
    train_on_roles: roles.join() !== 'assistant',
    train_on_turns: turns !== 'all',
    train_on_reasoning: !reasoning,
  };
  return Object.entries(set)
    .filter(([, isSet]) => isSet)
    .map(([field]) =>
      ignored(field, 'a template that writes no conversations', 'choose `template: chat`, or leave it out'),
    );
}

/** Rows of preferences are no questions with solved examples or choices. */
function preferenceProblems({ preference, shots, template }: FormatConfig): readonly ConfigProblem[] {
  if (preference === undefined) return [];
  const kind = templateKind({ template });
  const rows = `rows of \`preference: ${preference}\``;
  const hasChoices = kind.kind === 'written' && kind.sources.choices !== undefined;
  return [
    ...(shots === undefined ? [] : [ignored('shots', rows, 'leave it out')]),
    ...(kind.kind === 'benchmark' || hasChoices
      ? [ignored('template', rows, 'choose a template that writes an instruction or a conversation')]
      : []),
  ];
}

const ignored = (field: string, template: string, help: string): ConfigProblem => ({
  pointer: `/${field}`,
  code: 'unheeded-field',
  message: `\`${field}\` means nothing to ${template}`,
  help,
});
