import { type Dag, locateStore, openStore, type Store } from '../../runtime/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';

/** The store that belongs to a pipeline, or the one that the command line or RETUNE_STORE names. */
export function pipelineStore(
  dag: Dag,
  { options, context }: { options: { readonly store?: string }; context: CommandContext },
): Store {
  const { workingDirectory, environment } = context;
  return openStore(
    locateStore({ pipelineFile: dag.file, workingDirectory, store: options.store, environment }),
  );
}

/** The store of the project that the working directory belongs to. */
export function projectStore({
  options,
  context,
}: {
  options: { readonly store?: string };
  context: CommandContext;
}): Store {
  const { workingDirectory, environment } = context;
  const pipelineFile = `${workingDirectory}/pipeline.yaml`;
  return openStore(locateStore({ pipelineFile, workingDirectory, store: options.store, environment }));
}
