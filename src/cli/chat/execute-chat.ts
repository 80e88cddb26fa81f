import type { WritingSettings } from '../../model/generation/text-writer.ts';
import { holdWeights } from '../../model/hold-weights.ts';
import { openLocalModel } from '../../stages/models/open-local-model.ts';
import { openChatPrompt } from '../../text/chat/chat-prompts.ts';
import { UserError } from '../../user-error.ts';
import type { ChatOptions } from '../commands/chat-command.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { UsageError } from '../usage-error.ts';
import { ChatSession } from './chat-session.ts';
import { converse } from './converse.ts';
import { openChatModel } from './open-chat-model.ts';

/** `tuneloom chat`: a conversation with a model, in the terminal or line by line through a pipe. */
export async function execute(call: CommandCall<ChatOptions>): Promise<ExitCode> {
  try {
    return await chat(call);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UsageError({ message: error.message, ...(error.help ? { help: error.help } : {}) });
  }
}

async function chat(call: CommandCall<ChatOptions>): Promise<ExitCode> {
  const { options, context } = call;
  await using found = await openChatModel(call);
  if (found === undefined) return exitCode.badUsage;
  const { folder, template } = found;
  const prompt = await openChatPrompt({ folder, given: options.template ?? template });
  using local = await openLocalModel(folder, {
    resources: {},
    host: {
      signal: new AbortController().signal,
      report: (report) => {
        if (report.type === 'note' && !options.json) context.terminal.complain(report.message);
      },
    },
  });
  using _weights = holdWeights(local.model);
  const settings = settingsOf(options, local.endTokens);
  const session = new ChatSession({ local, prompt, settings, system: options.system });
  await converse({ session, context, json: options.json === true });
  return exitCode.success;
}

const settingsOf = (options: ChatOptions, stopTokens: readonly number[]): WritingSettings => ({
  maxNewTokens: options.maxNewTokens,
  temperature: options.temperature,
  topK: options.topK,
  topP: options.topP,
  minP: options.minP,
  repetitionPenalty: options.repetitionPenalty,
  seed: options.seed,
  stop: [],
  stopTokens,
  batchSize: 1,
});
