import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isObject } from '../../core/index.ts';
import { parseSealed } from './store-file.ts';

/** Identifies one process among all that share a store, even after its pid has been reused. */
export interface ProcessIdentity {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  /** In the kernel's clock ticks since boot; empty if unknown. */
  readonly start: string;
}

export const thisProcess = (): ProcessIdentity => ({
  host: hostname(),
  boot: bootId(),
  pid: process.pid,
  start: startOf(process.pid),
});

export const isOnThisHost = (identity: ProcessIdentity): boolean => identity.host === hostname();

/** Whether the process may still be running. On another host it may. */
export function mayBeAlive(identity: ProcessIdentity): boolean {
  if (!isOnThisHost(identity)) return true;
  if (identity.boot !== bootId()) return false;
  return exists(identity.pid) && startOf(identity.pid) === identity.start;
}

/** Undefined for any other text, or if the seal is broken. */
export function parseProcessIdentity(text: string): ProcessIdentity | undefined {
  try {
    const value: unknown = parseSealed(text);
    return isProcessIdentity(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  if (!isObject(value)) return false;
  const { host, boot, pid, start } = value;
  return [host, boot, start].every((text) => typeof text === 'string') && typeof pid === 'number';
}

const bootId = (): string => readOr('/proc/sys/kernel/random/boot_id').trim();

/** Field 22 of /proc/<pid>/stat. Field 2, the name in parentheses, may contain spaces. */
const startOf = (pid: number): string => {
  const stat = readOr(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
};

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
