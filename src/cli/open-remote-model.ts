import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newTemporaryFolder } from '../core/index.ts';
import type { CommandCall } from './commands/command-declaration.ts';
import type { PipelineOptions } from './commands/options.ts';
import { openArtifact } from './open-artifact.ts';
import { storeOf } from './open-settings.ts';

/** A downloaded model's folder in the store, there until it is disposed of. */
interface RemoteModel extends AsyncDisposable {
  readonly folder: string;
}

/**
 * Opens the model at an address such as `hf:owner/name`, as a pipeline that loads it would: it is downloaded into the
 * store, once. Undefined if that fails; the reason is then printed.
 */
export async function openRemoteModel(
  { options, context }: CommandCall<PipelineOptions>,
  address: string,
): Promise<RemoteModel | undefined> {
  const store = await storeOf({ options, context });
  const folder = await newTemporaryFolder('tuneloom-load-');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const file = join(folder, 'load.yaml');
    const load = `name: load\nstages:\n  model: { uses: load, with: { model: ${JSON.stringify(address)} } }\n`;
    await writeFile(file, load);
    const { runCommand } = await import('./run/run.ts');
    const { terminal } = context;
    const aside = { ...terminal, interactive: false, print: terminal.complain, write: terminal.complain };
    const call = { options: { store: store.root }, context: { ...context, terminal: aside } };
    if ((await runCommand({ ...call, words: [file] })) !== 0) {
      await remove();
      return undefined;
    }
    const opened = await openArtifact({ ...call, words: [file, 'model'] });
    if (opened === undefined) return undefined;
    const close = async () => {
      await opened[Symbol.asyncDispose]();
      await remove();
    };
    return { folder: opened.path, [Symbol.asyncDispose]: close };
  } catch (error) {
    await remove();
    throw error;
  }
}
