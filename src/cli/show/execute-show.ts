import { openArtifact } from '../artifact/open-artifact.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { ShowOptions } from '../commands/show-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { findTokenizer } from './find-tokenizer.ts';
import { showArtifact } from './show-artifact.ts';

/** `tuneloom show`: prints one artifact in a form that people can read. */
export async function execute(call: CommandCall<ShowOptions>): Promise<ExitCode> {
  const { options, context } = call;
  const { terminal } = context;
  const artifact = await openArtifact(call);
  if (artifact === undefined) return exitCode.badUsage;
  await using opened = artifact;
  const { reference, digest, store, plan } = opened;
  const shown = await showArtifact(reference.type, {
    path: opened.path,
    limit: options.limit,
    offset: options.offset,
    epoch: options.epoch,
    batch: options.batch,
    tokenizer: (vocabulary) => findTokenizer(vocabulary, { store, plan }),
  });
  const { type, part, output, node } = reference;
  const place = { stage: node.id, output, ...(part === undefined ? {} : { part }), type, digest };
  terminal.print(options.json ? JSON.stringify({ ...place, content: shown.json }) : shown.text(terminal));
  return exitCode.success;
}
