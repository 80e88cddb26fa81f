import { readFileSync } from 'node:fs';

/** What a process dies of: its n-th operation on the disk, before it or in the middle of it. */
export interface Death {
  /** `tuneloom`, `shared`, or the stage whose process it is. */
  readonly role: string;
  readonly operation: number;
  readonly torn: boolean;
  /** Who dies then: a stage's process may take the one that started it along, or outlive it. */
  readonly dies: 'itself' | 'parent' | 'both';
}

/** What is to become of a process and of those that it starts. */
export interface Law {
  readonly death?: Death | undefined;
  /** The file to which each process adds its Counted, as a line. */
  readonly counts?: string;
  /** The role whose clock runs fast. */
  readonly hastens?: string;
  /** How far ahead the date is. */
  readonly days?: number;
}

/** The operations on the disk of a process that lived to its end. */
export interface Counted {
  readonly role: string;
  readonly operations: number;
  /** The numbers of those that write something that can be torn. */
  readonly torn: readonly number[];
}

/** Of a process with these arguments: a stage process is given its action, or serves several. */
export function roleIn([, , file = '']: readonly string[]): string {
  if (file === '--serve') return 'shared';
  if (!/[\\/]action\.json$/.test(file)) return 'tuneloom';
  // As the process that started this one has just written it.
  const { stage } = JSON.parse(readFileSync(file, 'utf8')) as { readonly stage: string };
  return stage;
}
