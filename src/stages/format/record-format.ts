import type { FormatConfig } from '../../generated/format-config.ts';
import { chatSegments } from '../../text/chat/chat-segments.ts';
import { conversationOf } from '../../text/chat/conversation-of.ts';
import { openChatTemplate } from '../../text/chat/open-chat-template.ts';
import type { FormattedRecord } from '../../text/formatted-record.ts';
import type { DataRecord } from '../../text/record.ts';
import { jinjaTemplate } from '../../text/template/jinja-template.ts';
import { namedTemplates } from '../../text/template/named-templates.ts';
import type { Template } from '../../text/template/template.ts';
import { openTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { exampleFormat } from './example-format.ts';
import { exampleTemplateOf } from './example-template-of.ts';
import { rowOf } from './row-of.ts';
import { templateKind } from './template-kind.ts';

/** How a record is written: its segments, and what there is to choose from. */
export type RecordFormat = (
  record: DataRecord,
) => Pick<FormattedRecord, 'segments' | 'choices' | 'shared_characters'>;

export interface FormatInputs {
  /** The tokenizer's folder, where there is one. */
  readonly tokenizer: string | undefined;
  /** The records that shots are made of; undefined where those are the records themselves. */
  readonly shots: readonly DataRecord[] | undefined;
}

/** The template of a configuration, as a function from records. */
export async function recordFormat(config: FormatConfig, inputs: FormatInputs): Promise<RecordFormat> {
  const template = templateKind(config);
  const { tokenizer: folder } = inputs;
  if (template.kind === 'chat') return plainly(await chatFormat(config, { folder, given: template.given }));
  const isExample =
    template.kind === 'benchmark' || config.shots !== undefined || config.description !== undefined;
  if (isExample || (template.kind === 'written' && template.sources.choices !== undefined))
    return exampleFormat(config, { template: exampleTemplateOf(config, template), ...inputs });
  return plainly(template.kind === 'named' ? namedTemplates[template.name] : jinjaTemplate(template.sources));
}

const plainly =
  (template: Template): RecordFormat =>
  (record) => ({ segments: template(rowOf(record)) });

async function chatFormat(
  config: FormatConfig,
  files: { folder: string | undefined; given: string | undefined },
): Promise<Template> {
  const tokenizer = files.folder === undefined ? undefined : await openTokenizer(files.folder);
  const format = {
    template: await openChatTemplate(files),
    specialTokens: [...(tokenizer?.specialTokens.keys() ?? [])],
    trainedRoles: config.train_on_roles,
    trainedTurns: config.train_on_turns,
  };
  const options = { fields: config.conversation, system: config.system };
  return (row) => chatSegments(conversationOf(row, options), format);
}
