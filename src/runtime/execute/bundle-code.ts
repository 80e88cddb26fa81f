import { dirname, join } from 'node:path';
import type { Failure } from '../event/failure.ts';
import type { DagNode } from '../graph/dag.ts';
import { canonicalJson } from '../key/canonical-json.ts';
import { bundleStage } from '../module/bundle-stage.ts';
import { modulesNow } from '../plan/read-modules.ts';
import { err, ok, type Result } from '../result.ts';
import { attemptFiles } from './attempt.ts';

/** The module beside the stage process that users' stages import as `tuneloom/stage`. */
const stageApiFile = 'stage.js';

/** Bundles the code of a user's stage into the attempt's folder; there is nothing to do for any other. */
export async function bundleCode(
  { definition }: DagNode,
  { folder, stageProcess }: { readonly folder: string; readonly stageProcess: string },
): Promise<Result<{ readonly code?: string }, Failure>> {
  const entry = definition.code?.entry;
  if (entry === undefined) return ok({});
  const outfile = join(folder, attemptFiles.code);
  try {
    await bundleStage({ entry, stageApi: join(dirname(stageProcess), stageApiFile), outfile });
    return ok({ code: outfile });
  } catch (error) {
    // It compiled when the run was prepared.
    if (error instanceof Error && 'errors' in error) return err({ kind: 'source-changed', path: entry });
    throw error;
  }
}

/** The first module of a user's stage where its code is no longer what the stage's key says. */
export async function changedCode(node: DagNode): Promise<string | undefined> {
  const entry = node.definition.code?.entry;
  if (entry === undefined) return undefined;
  const isSame = canonicalJson(await modulesNow(node)) === canonicalJson(node.modules);
  return isSame ? undefined : entry;
}
