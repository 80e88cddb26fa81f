import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isObject } from '../../core/index.ts';
import { sha256 } from '../key/digest.ts';
import { parseSealed } from './sealed-json.ts';

/** Identifies one process among all that share a store, even after its pid has been reused. */
export interface ProcessIdentity {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  /** In the kernel's clock ticks since boot; empty if unknown. */
  readonly start: string;
}

export const thisProcess = (): ProcessIdentity => processIdentity(process.pid);

/** Of a process of this machine. */
export const processIdentity = (pid: number): ProcessIdentity => ({
  host: hostname(),
  boot: bootId(),
  pid,
  start: startOf(pid),
});

export const isOnThisHost = (identity: ProcessIdentity): boolean => identity.host === hostname();

/** Whether the process may still be running. On another host it may. */
export function mayBeAlive(identity: ProcessIdentity): boolean {
  if (!isOnThisHost(identity)) return true;
  if (identity.boot !== bootId()) return false;
  return isRunning(identity);
}

const isRunning = ({ pid, start }: Pick<ProcessIdentity, 'pid' | 'start'>): boolean =>
  exists(pid) && !hasEnded(pid) && startOf(pid) === start;

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

/** This process as part of a file's name. */
export function processName(): string {
  ownName ??= [process.pid, startOf(process.pid), shortHash(bootId()), shortHash(hostname())].join('-');
  return ownName;
}

let ownName: string | undefined;

/** Whether the process that a file's name begins with is gone; undefined on another host, or if it names none. */
export function isNamedProcessGone(name: string): boolean | undefined {
  const [, pid, start, boot, host] = /^(\d+)-(\d*)-([0-9a-f]{8})-([0-9a-f]{8})-/.exec(name) ?? [];
  if (host !== shortHash(hostname())) return undefined;
  return boot !== shortHash(bootId()) || !isRunning({ pid: Number(pid), start: start ?? '' });
}

const shortHash = (text: string): string => sha256(text).slice(0, 8);

const bootId = (): string => readOr('/proc/sys/kernel/random/boot_id').trim();

/** Field 22 of /proc/<pid>/stat. */
const startOf = (pid: number): string => statusOf(pid)[19] ?? '';

/** A process that its parent has not waited for is a zombie: it keeps its number and its start, and never runs again. */
const hasEnded = (pid: number): boolean => ['Z', 'X', 'x'].includes(statusOf(pid)[0] ?? '');

/** The fields of /proc/<pid>/stat from the third. The second, the name in parentheses, may contain spaces. */
function statusOf(pid: number): readonly string[] {
  const stat = readOr(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

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
