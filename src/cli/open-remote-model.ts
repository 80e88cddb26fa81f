import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newTemporaryFolder } from '../core/index.ts';
import type { CommandCall } from './commands/command-declaration.ts';
import type { PipelineOptions } from './commands/options.ts';
import { openArtifact } from './open-artifact.ts';
import { storeOf } from './open-settings.ts';

/**
 * Opens the model at an address such as `hf:owner/name`, as a pipeline that loads it would: it is downloaded into the
 * store, once. Undefined if that fails; the reason is then printed.
 */
export async function openRemoteModel(
  { options, context }: CommandCall<PipelineOptions>,
  address: string,
): ReturnType<typeof openArtifact> {
  const store = await storeOf({ options, context });
  const folder = await newTemporaryFolder('tuneloom-load-');
  try {
    const file = join(folder, 'load.yaml');
    const load = `name: ${nameOf(address)}\nstages:\n  model: { uses: load, with: { model: ${JSON.stringify(address)} } }\n`;
    await writeFile(file, load);
    const { runOnce } = await import('./run/run.ts');
    const { terminal } = context;
    const aside = { ...terminal, interactive: false, print: terminal.complain, write: terminal.complain };
    const call = { options: { store: store.root }, context: { ...context, terminal: aside } };
    if ((await runOnce({ ...call, words: [file] }, { unlisted: true })) !== 0) return undefined;
    return await openArtifact({ ...call, words: [file, 'model'] });
  } finally {
    // The model itself is in the store.
    await rm(folder, { recursive: true, force: true });
  }
}

/** `hf:owner/name` as the name of a pipeline, which is the folder of its outputs. */
const nameOf = (address: string): string => address.replaceAll(/[^\w.-]+/g, '-');
