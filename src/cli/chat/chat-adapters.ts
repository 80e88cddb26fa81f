import { basename, resolve } from 'node:path';
import { adapterFolder } from '../../stages/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { UsageError } from '../exit-code.ts';
import { openArtifact } from '../open-artifact.ts';
import { splitWords } from '../open-pipeline.ts';

/** An adapter to chat with, by its name in the conversation. */
export interface ChatAdapter {
  readonly name: string;
  /** In PEFT's layout. */
  readonly folder: string;
}

/** The adapters of a chat, whose folders are there until they are disposed of. */
interface ChatAdapters extends AsyncDisposable {
  readonly adapters: readonly ChatAdapter[];
}

/**
 * Opens the adapters that `--adapter` names: `[name=]folder` or `[name=]stage`. Undefined if the pipeline has mistakes,
 * which are then printed.
 */
export async function openChatAdapters(
  call: CommandCall<PipelineOptions>,
  texts: readonly string[],
): Promise<ChatAdapters | undefined> {
  const opened: AsyncDisposable[] = [];
  const close = async () => {
    for (const each of opened) await each[Symbol.asyncDispose]();
  };
  try {
    const adapters: ChatAdapter[] = [];
    for (const text of texts) {
      const [, given, source = text] = /^([\w-]+)=(.+)$/.exec(text) ?? [];
      const name = given ?? basename(source);
      if (adapters.some((other) => other.name === name))
        throw new UsageError({
          message: `two adapters have the name \`${name}\``,
          help: 'give them names of your own: --adapter first=./a --adapter second=./b',
        });
      const path = isPath(source) ? resolve(call.context.workingDirectory, source) : undefined;
      const artifact = path === undefined ? await openStageAdapter(call, source) : undefined;
      if (path === undefined && artifact === undefined) {
        await close();
        return undefined;
      }
      if (artifact !== undefined) opened.push(artifact);
      adapters.push({ name, folder: await adapterFolder(path ?? artifact?.path ?? source) });
    }
    return { adapters, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A stage is named without a path. */
const isPath = (source: string): boolean => /^\.|[/\\]/.test(source);

function openStageAdapter({ words, options, context }: CommandCall<PipelineOptions>, name: string) {
  const { file } = splitWords(words);
  return openArtifact(
    { words: file === undefined ? [name] : [file, name], options, context },
    {
      types: ['model', 'adapter'],
      use: 'be used as an adapter',
      help: 'name a stage that trains with `lora` or loads an `adapter`, or a folder, as in ./adapter',
    },
  );
}
