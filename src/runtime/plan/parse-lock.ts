import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { parseCacheKey } from '../key/cache-key.ts';
import { err, ok, type Result } from '../result.ts';
import type { SourceFile } from '../source/source-file.ts';
import { type PortContent, parsePortContent } from '../store/digest.ts';
import { parseResolution, type Resolution } from '../store/resolution.ts';
import type { Lock, LockedStage } from './lock.ts';

/** Reads what renderLock writes, line by line; a line of another form is a diagnostic, such as one left by a merge. */
export function parseLock(file: SourceFile): Result<Lock, Diagnostic> {
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

/** Puts an entry where its section says; false where the line is none. */
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
  if (typeof value !== 'object' || value === null || !('key' in value) || !('outputs' in value))
    return undefined;
  const key = parseCacheKey(value.key);
  if (key === undefined || typeof value.outputs !== 'object' || value.outputs === null) return undefined;
  const outputs: [string, PortContent][] = [];
  for (const [port, text] of Object.entries(value.outputs)) {
    const content = parsePortContent(text);
    if (content === undefined) return undefined;
    outputs.push([port, content]);
  }
  return { key, outputs: Object.fromEntries(outputs) };
}

const damaged = (file: SourceFile, place: { readonly start: number; readonly end: number }): Diagnostic => ({
  code: 'damaged-lock',
  message: `the lock ${file.displayPath} holds a line that tuneloom does not write`,
  span: { file, ...place },
  help: 'restore it from version control, or delete it: the next successful run writes it again',
});
