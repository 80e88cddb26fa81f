import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../../core/index.ts';
import { quantizeWeights, type WritingSettings } from '../../model/index.ts';
import type { Dag } from '../../runtime/index.ts';
import { loadModel, openLocalModel } from '../../stages/index.ts';
import { openChatPrompt } from '../../text/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { openArtifact } from '../open-artifact.ts';
import { ChatSession, converse } from './converse.ts';

/** `tuneloom chat`: a conversation with a model, in the terminal or line by line through a pipe. */
export async function chatCommand(call: CommandCall<ChatOptions>): Promise<ExitCode> {
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
  using _weights = quantizeWeights(local.model);
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

/** A model's folder for as long as it is talked to. */
interface ChatModel extends AsyncDisposable {
  readonly folder: string;
  /** The template that the pipeline writes its rows with, where that is one with a name. */
  readonly template: string | undefined;
}

/** Finds the model that the words name; undefined where the pipeline has mistakes, which are then reported. */
async function openChatModel(call: CommandCall<ChatOptions>): Promise<ChatModel | undefined> {
  const { words, context } = call;
  const [word] = words;
  const path = word === undefined ? undefined : resolve(context.workingDirectory, word);
  const isModel = words.length === 1 && path !== undefined && (await isModelPath(path));
  return isModel ? openModelPath(path) : openStageModel(call);
}

async function openModelPath(source: string): Promise<ChatModel> {
  if (await isThere(join(source, 'config.json')))
    return { folder: source, template: undefined, [Symbol.asyncDispose]: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'tuneloom-chat-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await loadModel({ source, untieHead: false, model: { path: folder }, tokenizer: undefined });
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, template: undefined, [Symbol.asyncDispose]: remove };
}

async function openStageModel(call: CommandCall<ChatOptions>): Promise<ChatModel | undefined> {
  const opened = await openArtifact(call, {
    type: 'model',
    use: 'be talked to',
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

/** The name of the first format stage's template. */
function templateOf(dag: Dag): string | undefined {
  const format = [...dag.nodes.values()].find(({ definition }) => definition.name === 'format');
  const template = format?.config.template;
  return typeof template === 'string' ? template : undefined;
}

/** A stage can have the name of some other folder. */
const isModelPath = async (path: string): Promise<boolean> =>
  /\.gguf$/i.test(path) ? isThere(path) : isThere(join(path, 'config.json'));

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

export interface ChatOptions extends PipelineOptions {
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
