import { type Dag, locateStore, openStore, type Store } from '../../runtime/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';

/** The store that belongs to a pipeline, or the one that the command line or TUNELOOM_STORE names. */
export function pipelineStore(
  dag: Dag,
  { options, context }: { options: { readonly store?: string }; context: CommandContext },
): Store {
  const { workingDirectory, environment } = context;
  return openStore(
    locateStore({ pipelineFile: dag.file, workingDirectory, store: options.store, environment }),
  );
}

/** The store of a pipeline file that need not be a sound one; without a file, of the project around the working directory. */
export function projectStore({
  file = 'pipeline.yaml',
  options,
  context,
}: {
  readonly file?: string | undefined;
  readonly options: { readonly store?: string };
  readonly context: CommandContext;
}): Store {
  const { workingDirectory, environment } = context;
  return openStore(locateStore({ pipelineFile: file, workingDirectory, store: options.store, environment }));
}
