import type { FormatConfig } from '../../generated/format-config.ts';
import type { InputPort } from '../../runtime/stage/stage-definition.ts';
import { declareStage } from '../declare-stage.ts';
import { checkTemplate } from './check-template.ts';
import { templateKind } from './template-kind.ts';

const records: InputPort = { accepts: ['records', 'responses'], required: true, parts: 'each' };

/** Writes each row as the text that the model reads: a prompt, a header and a response, or the turns of a conversation. */
export const formatStage = declareStage<FormatConfig>({
  name: 'format',
  version: 2,
  ports: (config) => ({
    inputs: { records, ...shotsPort(config), ...tokenizerPort(config) },
    outputs: { records: { type: 'records' } },
  }),
  check: checkTemplate,
  recordsPort: 'records',
  process: 'inline',
  device: 'none',
  load: () => import('./run-format.ts'),
});

const shotsPort = ({ shots }: FormatConfig): { readonly shots?: InputPort } =>
  shots === undefined ? {} : { shots: { accepts: ['records'], required: false, parts: 'one' } };

/** A chat template knows its special tokens from a tokenizer, and is the tokenizer's own where none is given; and shots are counted in its tokens. */
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
  const required = template.given === undefined;
  const help = 'or name a chat template: `template: { chat: chatml }`';
  return { tokenizer: { accepts: ['tokenizer'], required, parts: 'one', help } };
}
