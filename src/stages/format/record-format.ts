import type { FormatConfig } from '../../generated/format-config.ts';
import { chatSegments } from '../../text/chat/chat-segments.ts';
import { conversationOf } from '../../text/chat/conversation-of.ts';
import { openChatTemplate } from '../../text/chat/open-chat-template.ts';
import { jinjaTemplate } from '../../text/template/jinja-template.ts';
import { namedTemplates } from '../../text/template/named-templates.ts';
import type { Template } from '../../text/template/template.ts';
import { openTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { templateKind } from './template-kind.ts';

/** The template of a configuration, as a function from rows to segments; `folder` is the tokenizer's, where there is one. */
export async function recordFormat(config: FormatConfig, folder: string | undefined): Promise<Template> {
  const template = templateKind(config);
  switch (template.kind) {
    case 'named':
      return namedTemplates[template.name];
    case 'written':
      return jinjaTemplate(template.sources);
    case 'chat':
      return chatFormat(config, { folder, given: template.given });
    default:
      return template satisfies never;
  }
}

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
