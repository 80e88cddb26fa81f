import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isObject, newTemporaryFolder } from '../../core/index.ts';
import { type GenerationSettings, openModelFolder, quantizeWeights } from '../../model/index.ts';
import type { Dag } from '../../runtime/index.ts';
import { loadModel, openLocalModel } from '../../stages/index.ts';
import { openChatPrompt } from '../../text/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openArtifact } from '../open-artifact.ts';
import { ChatSession, converse } from './converse.ts';

/** `tuneloom chat`: a conversation with a model, in the terminal or line by line through a pipe. */
export async function chatCommand(call: CommandCall<ChatOptions>): Promise<ExitCode> {
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
  using _weights = quantizeWeights(local.model);
  const mark = local.tokenizer.specialTokens.get(prompt.endMark ?? '');
  const settings = settingsOf(options, [...local.endTokens, ...(mark === undefined ? [] : [mark])]);
  using session = new ChatSession({ local, prompt, settings, system: options.system });
  await converse({ session, context, json: options.json === true });
  return exitCode.success;
}

interface ChatOptions extends PipelineOptions {
  readonly template?: string;
  readonly system?: string;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
}

const settingsOf = (options: ChatOptions, stopTokens: readonly number[]): GenerationSettings => ({
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
    type: 'model',
    use: 'be used for a chat',
    help: 'name a stage that makes a model, such as `train`',
  });
  return (
    opened && {
      folder: opened.path,
      template: templateOf(opened.dag),
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    }
  );
}

/** The template of the first format stage, if it is a named one or a chat template. */
function templateOf(dag: Dag): string | undefined {
  const format = [...dag.nodes.values()].find(({ definition }) => definition.name === 'format');
  const template = format?.config.template;
  if (typeof template === 'string') return template;
  const { chat } = isObject(template) ? template : {};
  return typeof chat === 'string' ? chat : undefined;
}

/** Whether a folder or a file holds a model; any other folder may share its name with a stage. */
const isModelPath = (path: string): boolean =>
  existsSync(/\.gguf$/i.test(path) ? path : join(path, 'config.json'));
