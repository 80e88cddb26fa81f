import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Dag, openContent, type Plan, type Store } from '../../runtime/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import type { ExportOptions } from '../commands/export-command.ts';
import { openPipeline } from '../pipeline/open-pipeline.ts';
import { pipelineStore } from '../pipeline/pipeline-store.ts';
import { findArtifact, planOf } from '../show/find-artifact.ts';
import { parseReference } from '../show/parse-reference.ts';
import { UsageError } from '../usage-error.ts';

/** A model to be exported, as a folder, for as long as it is held. */
export interface ExportSource extends AsyncDisposable {
  readonly path: string;
  /** What the user should know of it. */
  readonly note?: string;
  /** How it came to be; undefined for a folder of the user's. */
  readonly origin?: ExportOrigin;
}

export interface ExportOrigin {
  readonly dag: Dag;
  readonly store: Store;
  /** What the whole pipeline would do now; undefined where the model is of a run before a change. */
  readonly plan: Plan | undefined;
  /** The stage that wrote the model. */
  readonly stage: string;
}

interface Request {
  readonly words: readonly string[];
  readonly options: ExportOptions;
  readonly context: CommandContext;
}

/** A folder, where the word is a path, else a stage's output; undefined after the pipeline's mistakes have been printed. */
export async function openExportSource(request: Request): Promise<ExportSource | undefined> {
  const { words, options, context } = request;
  const [word, ...others] = words;
  if (word !== undefined && others.length === 0 && /^\.|[/\\]/.test(word) && !/\.ya?ml$/i.test(word))
    return openFolder(word, context);
  const opened = await openPipeline({ words, options, context, names: 'one' });
  const [name] = opened?.names ?? [];
  if (!opened || name === undefined) return undefined;
  const { dag } = opened;
  const store = pipelineStore(dag, { options, context });
  const reference = parseReference(dag, name);
  const stage = reference.node.id;
  if (reference.type !== 'model')
    throw new UsageError({
      message: `\`${name}\` is of type ${reference.type}, and only a model can be exported`,
      help: 'name a stage that loads or trains a model',
    });
  const plan = await planOf({ dag, store, stage });
  const { digest, pastRun } = findArtifact({ dag, store, plan, reference });
  const content = await openContent(store, digest);
  return {
    path: content.path,
    ...(pastRun && { note: `the pipeline has changed since; this is from run ${pastRun}` }),
    origin: { dag, store, plan: pastRun ? undefined : await planOf({ dag, store }), stage },
    [Symbol.asyncDispose]: () => content[Symbol.asyncDispose](),
  };
}

async function openFolder(word: string, { workingDirectory }: CommandContext): Promise<ExportSource> {
  const path = resolve(workingDirectory, word);
  if (
    await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    )
  )
    return { path, async [Symbol.asyncDispose]() {} };
  throw new UsageError({ message: `there is no folder ${word}`, help: 'a stage is named without a path' });
}
