import type { Dag } from '../../runtime/graph/dag.ts';
import { loadPipeline } from '../../runtime/graph/load-pipeline.ts';
import { sourceResolvers } from '../../sources/source-resolvers.ts';
import { stageRegistry } from '../../stages/registry.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { UsageError } from '../usage-error.ts';
import { findPipeline } from './find-pipeline.ts';
import { reportMistakes } from './report-mistakes.ts';
import { splitWords } from './split-words.ts';

export interface OpenedPipeline {
  readonly dag: Dag;
  /** The words behind the file: stages or references. */
  readonly names: readonly string[];
}

interface Request {
  readonly words: readonly string[];
  readonly options: Pick<PipelineOptions, 'param' | 'set' | 'json'>;
  readonly context: CommandContext;
  /** How many names the command takes. */
  readonly names: 'none' | 'one' | 'any';
}

/** Finds and checks the pipeline that a command line means; undefined after its mistakes have been printed. */
export async function openPipeline(request: Request): Promise<OpenedPipeline | undefined> {
  const { words, options, context } = request;
  const { file, names } = splitWords(words);
  checkCount(names, request.names);
  const loaded = await loadPipeline({
    file: file ?? (await findPipeline(context.workingDirectory)),
    registry: stageRegistry,
    resolvers: sourceResolvers(context.environment),
    workingDirectory: context.workingDirectory,
    params: options.param ?? [],
    sets: options.set ?? [],
  });
  if (loaded.ok) return { dag: loaded.value, names };
  reportMistakes(loaded.error, { terminal: context.terminal, json: options.json });
  return undefined;
}

function checkCount(names: readonly string[], wanted: Request['names']): void {
  if (wanted === 'none' && names[0] !== undefined) {
    throw new UsageError({
      message: `unexpected argument \`${names[0]}\``,
      help: 'a pipeline file ends in .yaml or .yml',
    });
  }
  if (wanted === 'one' && names.length !== 1) {
    const message = names.length === 0 ? 'a stage is missing' : `it takes one stage, not ${names.length}`;
    throw new UsageError({ message, help: 'name one stage of the pipeline, such as `train`' });
  }
}
