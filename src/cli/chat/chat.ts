import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openModel } from '../open-model.ts';
import { openChatAdapters } from './chat-adapters.ts';
import { type ChatSettings, openChatSession } from './chat-session.ts';
import { converse } from './converse.ts';

/** `tuneloom chat`: a conversation with a model, in the terminal or line by line through a pipe. */
export async function chatCommand(call: CommandCall<ChatOptions>): Promise<ExitCode> {
  const { options, context } = call;
  await using found = await openModel(call, { command: 'chat', use: 'be used for a chat' });
  if (found === undefined) return exitCode.badUsage;
  const { folder, template } = found;
  await using added = await openChatAdapters(call, options.adapter ?? []);
  if (added === undefined) return exitCode.badUsage;
  using session = await openChatSession({
    folder,
    adapters: added.adapters,
    template: options.template ?? template,
    system: options.system,
    settings: options,
    onNote: (message) => {
      if (!options.json) context.terminal.complain(message);
    },
  });
  await converse({ session, context, json: options.json === true });
  return exitCode.success;
}

interface ChatOptions extends PipelineOptions, ChatSettings {
  readonly adapter?: readonly string[];
  readonly template?: string;
  readonly system?: string;
}
