import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Dag } from '../../runtime/index.ts';
import { openContent } from '../../runtime/index.ts';
import { loadModel } from '../../stages/load/load-model.ts';
import type { ChatOptions } from '../commands/chat-command.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import { openPipeline } from '../pipeline/open-pipeline.ts';
import { pipelineStore } from '../pipeline/pipeline-store.ts';
import { findArtifact, planOf } from '../show/find-artifact.ts';
import { parseReference } from '../show/parse-reference.ts';
import { UsageError } from '../usage-error.ts';

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
  const folder = await mkdtemp(join(tmpdir(), 'retune-chat-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await loadModel({ source, untieHead: false, model: { path: folder }, tokenizer: undefined });
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, template: undefined, [Symbol.asyncDispose]: remove };
}

async function openStageModel({
  words,
  options,
  context,
}: CommandCall<ChatOptions>): Promise<ChatModel | undefined> {
  const opened = await openPipeline({ words, options, context, names: 'one' });
  const [name] = opened?.names ?? [];
  if (!opened || name === undefined) return undefined;
  const { dag } = opened;
  const store = pipelineStore(dag, { options, context });
  const reference = parseReference(dag, name);
  if (reference.type !== 'model')
    throw new UsageError({
      message: `\`${name}\` is ${reference.type}, not a model`,
      help: 'name a stage that makes a model, such as `train`',
    });
  const plan = await planOf({ dag, store, stage: reference.node.id });
  const { digest, pastRun } = findArtifact({ dag, store, plan, reference });
  if (pastRun) context.terminal.complain(`note: the pipeline has changed since; this is from run ${pastRun}`);
  const content = await openContent(store, digest);
  return {
    folder: content.path,
    template: templateOf(dag),
    [Symbol.asyncDispose]: () => content[Symbol.asyncDispose](),
  };
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
