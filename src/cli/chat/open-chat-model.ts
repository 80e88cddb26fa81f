import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Dag } from '../../runtime/index.ts';
import { loadModel } from '../../stages/load/load-model.ts';
import { openArtifact } from '../artifact/open-artifact.ts';
import type { ChatOptions } from '../commands/chat-command.ts';
import type { CommandCall } from '../commands/command-declaration.ts';

/** A model's folder for as long as it is talked to. */
export interface ChatModel extends AsyncDisposable {
  readonly folder: string;
  /** The template that the pipeline writes its rows with, where that is one with a name. */
  readonly template: string | undefined;
}

/** Finds the model that the words name; undefined where the pipeline has mistakes, which are then reported. */
export async function openChatModel(call: CommandCall<ChatOptions>): Promise<ChatModel | undefined> {
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
