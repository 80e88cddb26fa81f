import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { newTemporaryFolder } from '../../core/index.ts';
import { isAdapterFolder, openModelFolder } from '../../model/index.ts';
import { chatTemplateOf, loadModel } from '../../stages/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { openArtifact } from '../open-artifact.ts';
import { openChatAdapters } from './chat-adapters.ts';
import { type ChatSettings, openChatSession } from './chat-session.ts';
import { converse } from './converse.ts';

/** `tuneloom chat`: a conversation with a model, in the terminal or line by line through a pipe. */
export async function chatCommand(call: CommandCall<ChatOptions>): Promise<ExitCode> {
  const { options, context } = call;
  await using found = await openChatModel(call);
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

/** A model's folder, there until it is disposed of. */
interface ChatModel extends AsyncDisposable {
  readonly folder: string;
  /** The template of the pipeline's format stage, if it is a named one or a chat template. */
  readonly template: string | undefined;
}

/** Opens the model that the words name. Undefined if the pipeline has mistakes, which are then printed. */
async function openChatModel(call: CommandCall<ChatOptions>): Promise<ChatModel | undefined> {
  const [word, ...others] = call.words;
  const path = resolve(call.context.workingDirectory, word ?? '');
  const isModel = word !== undefined && others.length === 0 && isModelPath(path);
  if (word !== undefined && others.length === 0 && !isModel && isAdapterFolder(path))
    throw new UsageError({
      message: `${word} is an adapter, which needs its base model`,
      help: `name the base, and the adapter with --adapter: tuneloom chat <base> --adapter ${word}`,
    });
  const onNote = (message: string) => call.context.terminal.complain(message);
  return isModel ? openModelPath(path, onNote) : openStageModel(call);
}

async function openModelPath(source: string, onNote: (note: string) => void): Promise<ChatModel> {
  if (existsSync(join(source, 'config.json'))) {
    await using model = await openModelFolder(source);
    model.config.notes.forEach(onNote);
    return { folder: source, template: undefined, [Symbol.asyncDispose]: async () => {} };
  }
  const folder = await newTemporaryFolder('tuneloom-chat-');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await loadModel({ source, untieHead: false, model: { path: folder }, tokenizer: undefined, onNote });
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, template: undefined, [Symbol.asyncDispose]: remove };
}

async function openStageModel(call: CommandCall<ChatOptions>): Promise<ChatModel | undefined> {
  const opened = await openArtifact(call, {
    types: ['model'],
    use: 'be used for a chat',
    help: 'name a stage that makes a model, such as `train`',
  });
  return (
    opened && {
      folder: opened.path,
      template: chatTemplateOf(opened.dag),
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    }
  );
}

/** Whether a folder or a file holds a model; any other folder may share its name with a stage. */
const isModelPath = (path: string): boolean =>
  existsSync(/\.gguf$/i.test(path) ? path : join(path, 'config.json'));
