import { existsSync } from 'node:fs';
import { UserError } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { DagNode, SourceField } from '../graph/dag.ts';
import { displayPathOf } from '../yaml/document-reader.ts';
import { decideStage, type PlanningContext } from './decide.ts';

/** Inspects the local sources of stages that would run; a diagnostic for each that its stage cannot use. */
export async function inspectSources(
  nodes: Iterable<DagNode>,
  context: PlanningContext,
): Promise<readonly Diagnostic[]> {
  const problems = new Map<string, Diagnostic>();
  for (const node of nodes) {
    const fields = node.sources.filter(({ resolver, inspect }) => inspect && resolver === undefined);
    if (fields.length === 0) continue;
    const { kind } = await decideStage({ node, known: new Map() }, context);
    if (kind === 'reuse') continue;
    for (const field of fields) {
      const { path, span } = field;
      // The lock says what it held.
      if (!existsSync(path)) continue;
      const shown = displayPathOf(path, context.dag.workingDirectory);
      // What prevents an inspection is for the stage to find, which reads the whole source.
      const error: unknown = await inspectSource(field, { path, shown }).catch((cause) => cause);
      if (!(error instanceof UserError)) continue;
      const { code, message, help } = error;
      const place = `${span.file.path} ${span.start} ${path}`;
      problems.set(place, { code, message, span, ...(help === undefined ? {} : { help }) });
    }
  }
  return [...problems.values()];
}

/** Throws the UserError of a source that its stage cannot use, with its path as `shown`. */
export async function inspectSource(
  { inspect }: SourceField,
  { path, shown }: { readonly path: string; readonly shown: string },
): Promise<void> {
  try {
    await inspect?.(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw error.withMessage(error.message.replaceAll(path, shown));
  }
}
