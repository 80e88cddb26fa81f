import type { FormatConfig } from '../../generated/format-config.ts';
import type { ConfigProblem } from '../../runtime/stage/stage-definition.ts';
import { chatTemplate } from '../../text/chat/chat-template.ts';
import { chatTemplateSource } from '../../text/chat/open-chat-template.ts';
import { parseJinja } from '../../text/template/jinja-template.ts';
import { UserError } from '../../user-error.ts';
import { templateKind } from './template-kind.ts';

/** Every source of a user's template that does not parse, and options that the template does not heed. */
export function checkTemplate(config: FormatConfig): readonly ConfigProblem[] {
  const template = templateKind(config);
  switch (template.kind) {
    case 'named':
      return unheeded(config);
    case 'written':
      return [
        ...Object.entries(template.sources).flatMap(([segment, source]) =>
          problemOf(`/template/${segment}`, () => parseJinja(source)),
        ),
        ...unheeded(config),
      ];
    case 'chat': {
      const { given } = template;
      if (given === undefined) return [];
      return problemOf('/template/chat', () =>
        chatTemplate({ source: chatTemplateSource(given), namedTokens: {} }),
      );
    }
    default:
      return template satisfies never;
  }
}

function problemOf(pointer: string, parse: () => unknown): readonly ConfigProblem[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, help } = error;
    return [{ pointer, code, message, ...(help === undefined ? {} : { help }) }];
  }
}

function unheeded(config: FormatConfig): readonly ConfigProblem[] {
  const { system, conversation, train_on_roles: roles, train_on_turns: turns } = config;
  const set = {
    system: system !== undefined,
    conversation: Object.values(conversation).some((value) => Object.keys(value).length > 0),
    train_on_roles: roles.join() !== 'assistant',
    train_on_turns: turns !== 'all',
  };
  return Object.entries(set).flatMap(([field, isSet]) =>
    isSet
      ? [
          {
            pointer: `/${field}`,
            code: 'unheeded-field',
            message: `\`${field}\` means nothing to a template that writes no conversations`,
            help: 'choose `template: chat`, or leave it out',
          },
        ]
      : [],
  );
}
