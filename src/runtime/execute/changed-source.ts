import type { DagNode } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import { digestPath } from '../plan/digest-paths.ts';

/** The path of a stage's source that is no longer what the stage's key says, every byte read again. */
export async function changedSource(
  node: Pick<DagNode, 'sources'>,
  sources: SourceDigests,
): Promise<string | undefined> {
  for (const { path, resolver } of node.sources) {
    // What is remote was read from the store, which is checked there.
    if (resolver === undefined && (await digestOrNothing(path)) !== sources.get(path)) return path;
  }
  return undefined;
}

/** A source that cannot be read any more has changed too. */
const digestOrNothing = (path: string): Promise<string | undefined> =>
  digestPath(path).catch(() => undefined);
