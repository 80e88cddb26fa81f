import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Dag, type Plan, type RunRecord, readRun, type Store } from '../../runtime/index.ts';
import { planOf } from '../artifact/find-artifact.ts';
import { openArtifact } from '../artifact/open-artifact.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import type { ExportOptions } from '../commands/export-command.ts';
import { UsageError } from '../usage-error.ts';

/** A model to be exported, as a folder, for as long as it is held. */
export interface ExportSource extends AsyncDisposable {
  readonly path: string;
  /** How it came to be; undefined for a folder of the user's. */
  readonly origin?: ExportOrigin;
}

export interface ExportOrigin {
  readonly dag: Dag;
  readonly store: Store;
  /** The run before a change that the model is of, or undefined; and what the pipeline would do now, all of it or as far as the stage needs it. */
  readonly pastRun: RunRecord | undefined;
  readonly plan: Plan;
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
  const { words, context } = request;
  const [word, ...others] = words;
  if (word !== undefined && others.length === 0 && /^\.|[/\\]/.test(word) && !/\.ya?ml$/i.test(word))
    return openFolder(word, context);
  const opened = await openArtifact(request, {
    type: 'model',
    use: 'be exported',
    help: 'name a stage that loads or trains a model',
  });
  if (opened === undefined) return undefined;
  const { path, dag, store, reference, pastRun } = opened;
  const run = pastRun === undefined ? undefined : readRun(store, pastRun);
  return {
    path,
    origin: {
      dag,
      store,
      pastRun: run,
      plan: run ? opened.plan : await planOf({ dag, store }),
      stage: reference.node.id,
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
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
