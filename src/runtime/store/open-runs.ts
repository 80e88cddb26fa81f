import { statSync } from 'node:fs';
import { join } from 'node:path';
import { isOnThisHost } from './process-identity.ts';
import type { RunRecord } from './run-record.ts';
import type { Store } from './store.ts';
import { runPath } from './store-layout.ts';

const oneDay = 24 * 60 * 60 * 1000;

/** Whether a run is under way. One on another host is, for as long as its journal shows signs of life. */
export function isOpenRun(
  { root }: Store,
  { run, now }: { readonly run: RunRecord; readonly now: Date },
): boolean {
  if (run.outcome !== 'running') return false;
  if (isOnThisHost(run.process)) return true;
  const seen = statSync(join(root, runPath(run.run)), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return now.getTime() - seen < oneDay;
}
