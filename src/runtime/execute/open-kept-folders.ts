import { checkpointKeyOf, memoKeyOf } from '../key/kept-keys.ts';
import { keyMaterialOf } from '../key/key-material.ts';
import type { StageAction } from '../stage/stage-action.ts';
import { openKeptFolder } from '../store/kept-folder.ts';
import type { RunContext } from './run-context.ts';
import type { StageTask } from './stage-task.ts';

/** The folders that an attempt shares with executions of other keys. A forced stage gets none: it is to do all its work. */
export async function openKeptFolders(
  { node, decision, inputs }: StageTask,
  { store, sources }: RunContext,
): Promise<Pick<StageAction, 'memoPath' | 'checkpointPath'>> {
  const { definition } = node;
  const shares = definition.memo !== undefined || definition.horizon !== undefined;
  if (!shares || decision.reason.kind === 'forced') return {};
  const material = keyMaterialOf({ node, inputs, sources });
  const memo = memoKeyOf({ node, material });
  const checkpoints = checkpointKeyOf({ node, material });
  return {
    ...(memo && { memoPath: await openKeptFolder(store, { kind: 'memo', key: memo }) }),
    ...(checkpoints && {
      checkpointPath: await openKeptFolder(store, { kind: 'checkpoints', key: checkpoints }),
    }),
  };
}
