import { type Dag, type Digest, openContent, type Plan, type Store } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { openPipeline } from '../pipeline/open-pipeline.ts';
import { pipelineStore } from '../pipeline/pipeline-store.ts';
import { UsageError } from '../usage-error.ts';
import { findArtifact, planOf } from './find-artifact.ts';
import { type ArtifactReference, parseReference } from './parse-reference.ts';

/** The content that a command line names, readable until it is disposed. */
export interface OpenArtifact extends AsyncDisposable {
  readonly path: string;
  readonly digest: Digest;
  readonly reference: ArtifactReference;
  /** The run that made it, where the pipeline has changed since. */
  readonly pastRun: string | undefined;
  readonly dag: Dag;
  readonly store: Store;
  /** What the pipeline would do now, as far as the artifact's stage needs it. */
  readonly plan: Plan;
}

/** The one type that a command can use. */
interface Wanted {
  readonly type: string;
  /** What is done with it: "be exported". */
  readonly use: string;
  readonly help: string;
}

/**
 * Opens the artifact that the words of a command name, and says so where it is of a past run; undefined after the
 * pipeline's mistakes have been printed.
 */
export async function openArtifact(
  { words, options, context }: CommandCall<PipelineOptions>,
  wanted?: Wanted,
): Promise<OpenArtifact | undefined> {
  const opened = await openPipeline({ words, options, context, names: 'one' });
  const [name] = opened?.names ?? [];
  if (!opened || name === undefined) return undefined;
  const { dag } = opened;
  const store = pipelineStore(dag, { options, context });
  const reference = parseReference(dag, name);
  if (wanted && reference.type !== wanted.type)
    throw new UsageError({
      message: `\`${name}\` is of type ${reference.type}, and only one of type ${wanted.type} can ${wanted.use}`,
      help: wanted.help,
    });
  const plan = await planOf({ dag, store, stage: reference.node.id });
  const { digest, pastRun } = findArtifact({ dag, store, plan, reference });
  if (pastRun) context.terminal.complain(`note: the pipeline has changed since; this is from run ${pastRun}`);
  const content = await openContent(store, digest);
  return {
    path: content.path,
    digest,
    reference,
    pastRun,
    dag,
    store,
    plan,
    [Symbol.asyncDispose]: () => content[Symbol.asyncDispose](),
  };
}
