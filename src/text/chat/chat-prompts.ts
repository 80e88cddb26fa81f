import { UserError } from '../../core/index.ts';
import type { TextPiece } from '../records.ts';
import { namedTemplates, type TemplateName } from '../template/named-templates.ts';
import { openTokenizer } from '../tokenizer/open-tokenizer.ts';
import { chatSegments } from './chat-segments.ts';
import { openChatTemplate } from './chat-template.ts';
import type { ChatMessage } from './conversation.ts';

/** What a model is given to answer a conversation's last turn. */
export type ChatPrompt = (messages: readonly ChatMessage[]) => readonly TextPiece[];

/**
 * Prompts for the model in a folder: by its own chat template, by the one that is given (a name or a source), or by an
 * instruction template such as `alpaca`, which knows one turn only: the last.
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
  const template = await openChatTemplate({ folder, ...own });
  const { specialTokens } = await openTokenizer(folder);
  const format = {
    template,
    specialTokens: [...specialTokens.keys()],
    trainedRoles: [],
    trainedTurns: 'all' as const,
  };
  return (messages) => chatSegments({ messages }, format);
}

/** `phi3` names an instruction template and a chat template: the first, which is what `format` takes it for. */
const isTemplateName = (name: string): name is TemplateName => Object.hasOwn(namedTemplates, name);

function instructionPrompt(name: TemplateName): ChatPrompt {
  return (messages) => {
    const instruction = messages.at(-1)?.content ?? '';
    const segments = namedTemplates[name]({ instruction, text: instruction, output: '' });
    if (segments.length > 0) return segments;
    throw new UserError({ code: 'no-text', message: 'nothing is asked' });
  };
}
