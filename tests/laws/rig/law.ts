import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** When a process is killed: before its n-th operation on the disk, or in the middle of it. */
export interface Death {
  /** `tuneloom`, `shared`, or the stage whose process it is. */
  readonly role: string;
  readonly operation: number;
  readonly torn: boolean;
  /** The processes that are killed: a stage's process, its parent, or both. */
  readonly dies: 'itself' | 'parent' | 'both';
}

/** What happens to a process and to those that it starts. */
export interface Law {
  readonly death?: Death | undefined;
  /** The file to which each process adds its Counted, as a line. */
  readonly counts?: string;
  /** The role whose clock runs fast. */
  readonly hastens?: string;
  /** How far ahead the date is. */
  readonly days?: number;
}

/** The disk operations of a process that was not killed. */
export interface Counted {
  readonly role: string;
  readonly operations: number;
  /** The numbers of the operations whose writing can be torn. */
  readonly torn: readonly number[];
}

/** The role of a process, by its arguments: a stage process is given the path of its first log. */
export function roleIn([, , path = '']: readonly string[]): string {
  if (!/[\\/]log\.txt$/.test(path)) return 'tuneloom';
  // Written just before the process was started.
  const action = readFileSync(join(dirname(path), 'action.json'), 'utf8');
  const { stage, uses } = JSON.parse(action) as { readonly stage: string; readonly uses: string };
  return uses === 'shell' ? 'shared' : stage;
}
