import { UserError } from '../../core/index.ts';
import type { TextPiece } from '../records.ts';
import { namedTemplates, type TemplateName } from '../template/named-templates.ts';
import { openTokenizer } from '../tokenizer/open-tokenizer.ts';
import type { ChatMessage } from './chat-message.ts';
import { chatWriter } from './chat-segments.ts';
import { endMark } from './end-mark.ts';
import { openChatTemplate } from './open-chat-template.ts';

/** A template for conversations with a model. */
export interface ChatPrompt {
  /** A conversation as the prompt for its next answer. */
  readonly write: (messages: readonly ChatMessage[]) => readonly TextPiece[];
  /** Whether it is a chat template, which writes the beginning of a text itself. */
  readonly isChat: boolean;
  /** What ends an answer, if the template says so. */
  readonly endMark?: string | undefined;
}

/**
 * Prompts for the model in a folder: by its own chat template, by the given one (a name or a source), or by an
 * instruction template such as `alpaca`, which writes only the last turn.
 */
export async function openChatPrompt({
  folder,
  given,
}: {
  readonly folder: string;
  readonly given: string | undefined;
}): Promise<ChatPrompt> {
  if (given !== undefined && isTemplateName(given)) return instructionPrompt(given);
  const own = given === undefined || given === 'chat' ? {} : { given };
  const templateFor = await openChatTemplate({ folder, ...own });
  const { specialTokens } = await openTokenizer(folder);
  const names = [...specialTokens.keys()];
  const write = chatWriter({
    templateFor,
    specialTokens: names,
    trainedRoles: [],
    trainedTurns: 'all',
    trainReasoning: true,
  });
  return {
    write: (messages) => write({ messages }).segments,
    isChat: true,
    endMark: endMark({ template: templateFor(false), specialTokens: names }),
  };
}

/** `phi3` names both an instruction template and a chat template; as in `format`, it means the first. */
export const isTemplateName = (name: string): name is TemplateName => Object.hasOwn(namedTemplates, name);

function instructionPrompt(name: TemplateName): ChatPrompt {
  const write: ChatPrompt['write'] = (messages) => {
    const content = messages.at(-1)?.content;
    const instruction = typeof content === 'string' ? content : '';
    const segments = namedTemplates[name]({ instruction, text: instruction, output: '' });
    if (segments.length > 0) return segments;
    throw new UserError({ code: 'no-text', message: 'the prompt is empty' });
  };
  return { write, isChat: false };
}
