import { readdir, readFile, stat, statfs } from 'node:fs/promises';

/** The folders of a sandbox that programs can write to, each a file system in memory. */
export const writableFolders = ['/tmp', '/dev/shm'] as const;

/** Each file takes memory of the kernel, however small it is. */
const maximumFiles = 10_000;

/** Between two looks at a program, in milliseconds. */
const interval = 50;

/**
 * Looks at a sandbox until it ends or uses too much; resolves with what it used too much of, or undefined. Limits of
 * single processes hold all the time; this holds the sum of a sandbox's processes and files. `pid` is its first process.
 */
export async function watchUsage(
  pid: number,
  { bytes, signal }: { readonly bytes: number; readonly signal: AbortSignal },
): Promise<'memory' | 'files' | undefined> {
  while (!signal.aborted) {
    const [files, pids] = await Promise.all([filesOf(pid), processesBelow(pid)]);
    if (files.count > maximumFiles) return 'files';
    if (files.bytes + (await sumOf(pids, residentBytes)) > bytes)
      if (files.bytes + (await sumOf(pids, proportionalBytes)) > bytes) return 'memory';
    await new Promise<void>((resume) => setTimeout(resume, interval));
  }
  return undefined;
}

const sumOf = async (pids: readonly number[], measure: (pid: number) => Promise<number>): Promise<number> =>
  (await Promise.all(pids.map(measure))).reduce((total, bytes) => total + bytes, 0);

async function filesOf(pid: number): Promise<{ readonly bytes: number; readonly count: number }> {
  if (!(await hasOwnRoot(pid))) return { bytes: 0, count: 0 };
  const systems = await Promise.all(
    writableFolders.map((folder) => statfs(`/proc/${pid}/root${folder}`).catch(() => undefined)),
  );
  const sum = (measure: (system: NonNullable<(typeof systems)[number]>) => number): number =>
    systems.reduce((total, system) => total + (system === undefined ? 0 : measure(system)), 0);
  return {
    bytes: sum(({ blocks, bfree, bsize }) => (blocks - bfree) * bsize),
    count: sum(({ files, ffree }) => files - ffree),
  };
}

/** A sandbox begins in this machine's files, before it changes its root. */
async function hasOwnRoot(pid: number): Promise<boolean> {
  const [inside, outside] = await Promise.all(
    [`/proc/${pid}/root/`, '/'].map((path) => stat(path).catch(() => undefined)),
  );
  return inside !== undefined && (inside.dev !== outside?.dev || inside.ino !== outside.ino);
}

/** A process and all that it has started. What has ended meanwhile is left out. */
async function processesBelow(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((thread) => textOf(`/proc/${pid}/task/${thread}/children`)));
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  return [pid, ...(await Promise.all(children.map(processesBelow))).flat()];
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** Of the lines `<name>: <number> kB`, in bytes. */
const fieldsIn = (text: string, names: RegExp): number =>
  [...text.matchAll(names)].reduce((total, [, kibibytes]) => total + 1024 * Number(kibibytes), 0);

/** Counts memory that processes share once for each of them. */
const residentBytes = async (pid: number): Promise<number> =>
  fieldsIn(await textOf(`/proc/${pid}/status`), /^Rss(?:Anon|Shmem):\s*(\d+) kB$/gm);

/** Divides shared memory among the processes that share it, and takes longer to count. */
async function proportionalBytes(pid: number): Promise<number> {
  const text = await textOf(`/proc/${pid}/smaps_rollup`);
  return text === '' ? residentBytes(pid) : fieldsIn(text, /^(?:Pss_Anon|Pss_Shmem|SwapPss):\s*(\d+) kB$/gm);
}
