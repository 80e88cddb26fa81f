import { openContent } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { ShowOptions } from '../commands/show-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openPipeline } from '../pipeline/open-pipeline.ts';
import { pipelineStore } from '../pipeline/pipeline-store.ts';
import { findArtifact, planOf } from './find-artifact.ts';
import { findTokenizer } from './find-tokenizer.ts';
import { parseReference } from './parse-reference.ts';
import { showArtifact } from './show-artifact.ts';

/** `retune show`: prints one artifact in a form that people can read. */
export async function execute({ words, options, context }: CommandCall<ShowOptions>): Promise<ExitCode> {
  const { terminal } = context;
  const opened = await openPipeline({ words, options, context, names: 'one' });
  const [name] = opened?.names ?? [];
  if (!opened || name === undefined) return exitCode.badUsage;
  const { dag } = opened;
  const store = pipelineStore(dag, { options, context });
  const reference = parseReference(dag, name);
  const plan = await planOf({ dag, store, stage: reference.node.id });
  const { digest, pastRun } = findArtifact({ dag, store, plan, reference });
  if (pastRun) terminal.complain(`note: the pipeline has changed since; this is from run ${pastRun}`);
  await using content = await openContent(store, digest);
  const shown = await showArtifact(reference.type, {
    path: content.path,
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
