import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';
import { err, isObject, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { TextFile } from '../diagnostic/text-file.ts';
import type { Dag, SourceField } from '../graph/dag.ts';
import { type Digest, type PortContent, parsePortContent } from '../key/digest.ts';
import { type CacheKey, parseCacheKey, type SourceDigests } from '../key/key-material.ts';
import { parseResolution, type Resolution, type Resolutions, renderResolution } from '../store/resolution.ts';
import type { StageOutcome } from '../store/run-records.ts';
import { hasErrorCode, storageFailureOf } from '../store/system-error.ts';
import { displayPathOf } from '../yaml/document-reader.ts';

/** The sources and results of a pipeline's last successful run, with which a colleague can compare theirs. */
export interface Lock {
  /** Path from the lock's folder, with `/`, or an address -> content. */
  readonly sources: ReadonlyMap<string, Resolution>;
  readonly stages: ReadonlyMap<string, LockedStage>;
}

interface LockedStage {
  readonly key: CacheKey;
  readonly outputs: Readonly<Record<string, PortContent>>;
}

/** `pipelines/alpaca.yaml` -> `pipelines/alpaca.lock.yaml`. */
export const lockPathOf = (pipelineFile: string): string =>
  `${pipelineFile.replace(/\.ya?ml$/i, '')}.lock.yaml`;

/** The lock beside a pipeline, if there is one. */
export const readLock = ({ file, workingDirectory }: Dag): Result<Lock | undefined, Diagnostic> =>
  readLockAt(file, workingDirectory);

function readLockAt(pipelineFile: string, workingDirectory: string): Result<Lock | undefined, Diagnostic> {
  const path = lockPathOf(pipelineFile);
  try {
    const text = readFileSync(path, 'utf8');
    const lock = parseLock({ path, displayPath: displayPathOf(path, workingDirectory), text });
    return lock.ok ? ok(lock.value) : err(lock.error);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return ok(undefined);
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return err({ code: 'unreadable-lock', message: `the lock ${path} cannot be read: ${error.message}` });
  }
}

/** Writes the lock if it has changed; returns why it cannot be written, if so. */
export async function writeLock(
  dag: Dag,
  { lock, previous }: { lock: Lock; previous: Lock | undefined },
): Promise<string | undefined> {
  const text = renderLock(lock);
  if (previous !== undefined && renderLock(previous) === text) return undefined;
  const path = lockPathOf(dag.file);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
    return undefined;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const failure = storageFailureOf(error);
    if (failure === undefined) throw error;
    return `the lock ${path} could not be written: ${failure.message}`;
  }
}

/** A source's name in the lock: its path from the pipeline's folder, or its address. */
export const lockedName = (dag: Dag, { path, resolver }: Pick<SourceField, 'path' | 'resolver'>): string =>
  resolver === undefined ? relative(dirname(dag.file), path).split(sep).join('/') : path;

/**
 * The digests that a pipeline's lock has of its local sources, by absolute path: what stands for a source that is not on
 * this machine. Reads the lock when it is first asked; a lock that cannot be read has none.
 */
export function lockedDigests(pipelineFile: string): (path: string) => Digest | undefined {
  let lock: Lock | undefined;
  let isRead = false;
  return (path) => {
    if (!isRead) {
      const found = readLockAt(pipelineFile, dirname(pipelineFile));
      lock = found.ok ? found.value : undefined;
      isRead = true;
    }
    return lock?.sources.get(relative(dirname(pipelineFile), path).split(sep).join('/'))?.digest;
  };
}

/** The lock after a successful run. With overrides, or with some stages only, the other lines stay. */
export function lockAfter(run: {
  readonly dag: Dag;
  readonly previous: Lock | undefined;
  readonly sources: SourceDigests;
  readonly resolutions: Resolutions;
  readonly outcomes: ReadonlyMap<string, StageOutcome>;
}): Lock {
  const { dag, previous, outcomes } = run;
  const present = [...dag.nodes.values()].flatMap((node) => node.sources);
  const sources = new Map(
    present.flatMap((field) => {
      const name = lockedName(dag, field);
      const source = sourceIn(field, run) ?? previous?.sources.get(name);
      return source === undefined ? [] : [[name, source] as const];
    }),
  );
  if (dag.overridden) return { sources, stages: previous?.stages ?? new Map() };
  const stages = new Map(
    [...dag.nodes.keys()].flatMap((id) => {
      const stage = lockedStage(outcomes.get(id)) ?? previous?.stages.get(id);
      return stage === undefined ? [] : [[id, stage] as const];
    }),
  );
  return { sources, stages };
}

function sourceIn(
  { path, resolver }: SourceField,
  run: { readonly sources: SourceDigests; readonly resolutions: Resolutions },
): Resolution | undefined {
  if (resolver !== undefined) return run.resolutions.get(path);
  const digest = run.sources.get(path);
  return digest === undefined ? undefined : { digest };
}

const lockedStage = (outcome: StageOutcome | undefined): LockedStage | undefined =>
  outcome !== undefined && (outcome.decision === 'ran' || outcome.decision === 'reused')
    ? { key: outcome.key, outputs: outcome.outputs }
    : undefined;

/** Reads what renderLock writes, line by line. Any other line, such as a merge conflict's, is a diagnostic. */
export function parseLock(file: TextFile): Result<Lock, Diagnostic> {
  const sources = new Map<string, Resolution>();
  const stages = new Map<string, LockedStage>();
  let section: 'sources' | 'stages' | undefined;
  let start = 0;
  for (const line of file.text.split('\n')) {
    const heading = /^(sources|stages):( \{\})?$/.exec(line)?.[1];
    if (heading === 'sources' || heading === 'stages') section = heading;
    else if (!isIgnored(line) && !readEntry(line, { section, sources, stages })) {
      return err(damaged(file, { start, end: start + line.length }));
    }
    start += line.length + 1;
  }
  return section === 'stages' ? ok({ sources, stages }) : err(damaged(file, { start: 0, end: 0 }));
}

const isIgnored = (line: string): boolean => line === '' || line.startsWith('#') || line === 'format: 1';

/** Adds a line's entry to its section; false if the line is not an entry. */
function readEntry(
  line: string,
  into: {
    readonly section: 'sources' | 'stages' | undefined;
    readonly sources: Map<string, Resolution>;
    readonly stages: Map<string, LockedStage>;
  },
): boolean {
  const [, quoted, json] = /^ {2}("(?:[^"\\]|\\.)*"): (.+)$/.exec(line) ?? [];
  const [name, value] = [decode(quoted), decode(json)];
  if (typeof name !== 'string') return false;
  const source = into.section === 'sources' ? parseResolution(value) : undefined;
  if (source !== undefined) into.sources.set(name, source);
  const stage = into.section === 'stages' ? parseStage(value) : undefined;
  if (stage !== undefined) into.stages.set(name, stage);
  return source !== undefined || stage !== undefined;
}

function decode(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseStage(value: unknown): LockedStage | undefined {
  const { key: written, outputs: ports } = isObject(value) ? value : {};
  const key = parseCacheKey(written);
  if (key === undefined || !isObject(ports)) return undefined;
  const outputs: [string, PortContent][] = [];
  for (const [port, text] of Object.entries(ports)) {
    const content = parsePortContent(text);
    if (content === undefined) return undefined;
    outputs.push([port, content]);
  }
  return { key, outputs: Object.fromEntries(outputs) };
}

const damaged = (file: TextFile, place: { readonly start: number; readonly end: number }): Diagnostic => ({
  code: 'damaged-lock',
  message: `the lock ${file.displayPath} holds a line that tuneloom does not write`,
  span: { file, ...place },
  help: 'restore it from version control, or delete it: the next successful run writes it again',
});

/** The first line of every lock. */
const lockHeader = '# Written by tuneloom when a run succeeds. Commit it; tuneloom does the editing.';

/** A lock as YAML, with one line for each source and stage, so that edits of unrelated stages merge. */
function renderLock({ sources, stages }: Lock): string {
  const resolved = new Map([...sources].map(([name, source]) => [name, renderResolution(source)]));
  const lines = [lockHeader, 'format: 1', ...section('sources', resolved), ...section('stages', stages)];
  return `${lines.join('\n')}\n`;
}

function section(name: string, entries: ReadonlyMap<string, unknown>): readonly string[] {
  if (entries.size === 0) return [`${name}: {}`];
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return [`${name}:`, ...sorted.map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`)];
}
