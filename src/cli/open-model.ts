import { existsSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { newTemporaryFolder } from '../core/index.ts';
import { isAdapterFolder, openModelFolder } from '../model/index.ts';
import { chatTemplateOf, loadModel } from '../stages/index.ts';
import type { CommandCall } from './commands/command-declaration.ts';
import type { PipelineOptions } from './commands/options.ts';
import { UsageError } from './exit-code.ts';
import { type ArtifactReference, openArtifact } from './open-artifact.ts';

/** A model's folder, there until it is disposed of. */
export interface OpenModel extends AsyncDisposable {
  readonly folder: string;
  /** What it is called: the reference of a stage's output, or the name of a folder or file. */
  readonly name: string;
  /** The template of the pipeline's format stage, if it is a named one or a chat template. */
  readonly template: string | undefined;
}

/**
 * Opens the model that the words of a command name: a stage's output, a model folder, a GGUF file or `hf:owner/name`.
 * `use` is what `command` does with it ("be used for a chat"). Undefined if the pipeline has mistakes, which are then printed.
 */
export async function openModel(
  call: CommandCall<PipelineOptions>,
  { command, use }: { readonly command: string; readonly use: string },
): Promise<OpenModel | undefined> {
  const [word, ...others] = call.words;
  if (word !== undefined && others.length === 0 && /^hf:/i.test(word)) return openHubModel(call, word);
  const path = resolve(call.context.workingDirectory, word ?? '');
  const isModel = word !== undefined && others.length === 0 && isModelPath(path);
  if (word !== undefined && others.length === 0 && !isModel && isAdapterFolder(path))
    throw new UsageError({
      message: `${word} is an adapter, which needs its base model`,
      help: `name the base, and the adapter with --adapter: tuneloom ${command} <base> --adapter ${word}`,
    });
  const onNote = (message: string) => call.context.terminal.complain(message);
  return isModel ? openModelPath(path, onNote) : openStageModel(call, use);
}

async function openHubModel(
  call: CommandCall<PipelineOptions>,
  address: string,
): Promise<OpenModel | undefined> {
  const { openRemoteModel } = await import('./open-remote-model.ts');
  const opened = await openRemoteModel(call, address);
  return (
    opened && {
      folder: opened.path,
      name: address.slice('hf:'.length),
      template: undefined,
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    }
  );
}

async function openModelPath(source: string, onNote: (note: string) => void): Promise<OpenModel> {
  const name = basename(source).replace(/\.gguf$/i, '');
  if (existsSync(join(source, 'config.json'))) {
    await using model = await openModelFolder(source);
    model.config.notes.forEach(onNote);
    return { folder: source, name, template: undefined, [Symbol.asyncDispose]: async () => {} };
  }
  const folder = await newTemporaryFolder('tuneloom-model-');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const changes = { untieHead: false, keepsQuantized: !(await stat(source)).isDirectory() };
    await loadModel({ source, ...changes, model: { path: folder }, tokenizer: undefined, onNote });
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, name, template: undefined, [Symbol.asyncDispose]: remove };
}

async function openStageModel(
  call: CommandCall<PipelineOptions>,
  use: string,
): Promise<OpenModel | undefined> {
  const opened = await openArtifact(call, {
    types: ['model'],
    use,
    help: 'name a stage that makes a model, such as `train`',
  });
  return (
    opened && {
      folder: opened.path,
      name: nameOf(opened.reference),
      template: chatTemplateOf(opened.dag),
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    }
  );
}

/** Whether a folder or a file holds a model; any other folder may share its name with a stage. */
const isModelPath = (path: string): boolean =>
  existsSync(/\.gguf$/i.test(path) ? path : join(path, 'config.json'));

/** A reference as short as it can be: the stage alone means its first output. */
function nameOf({ node, output, part }: ArtifactReference): string {
  const isFirst = Object.keys(node.ports.outputs)[0] === output;
  return [node.id, ...(isFirst ? [] : [output]), ...(part === undefined ? [] : [part])].join('.');
}
