import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isObject } from '../../core/index.ts';
import { parseSealed } from './sealed-json.ts';

/** Names one process among all that share a store, also after its number has been given to another. */
export interface ProcessIdentity {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  /** In the kernel's clock ticks since boot; empty where the system does not tell. */
  readonly start: string;
}

export const thisProcess = (): ProcessIdentity => ({
  host: hostname(),
  boot: bootId(),
  pid: process.pid,
  start: startOf(process.pid),
});

export const isOnThisHost = (identity: ProcessIdentity): boolean => identity.host === hostname();

/** Whether the process can still be at work. One on another host is taken to be, as nothing here can tell. */
export function mayBeAlive(identity: ProcessIdentity): boolean {
  if (!isOnThisHost(identity)) return true;
  if (identity.boot !== bootId()) return false;
  return exists(identity.pid) && startOf(identity.pid) === identity.start;
}

/** Undefined for a text that is none, or that is not what was sealed. */
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

/** The twenty-second field of /proc/<pid>/stat; the second, the name in brackets, may itself hold spaces. */
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
