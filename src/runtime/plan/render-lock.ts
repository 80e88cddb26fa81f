import { renderResolution } from '../store/resolution.ts';
import type { Lock } from './lock.ts';

/** The whole first line of every lock. */
export const lockHeader = '# Written by tuneloom when a run succeeds. Commit it; tuneloom does the editing.';

/** A lock as YAML, a line for each source and each stage, so that edits of unrelated stages merge. */
export function renderLock({ sources, stages }: Lock): string {
  const resolved = new Map([...sources].map(([name, source]) => [name, renderResolution(source)]));
  const lines = [lockHeader, 'format: 1', ...section('sources', resolved), ...section('stages', stages)];
  return `${lines.join('\n')}\n`;
}

function section(name: string, entries: ReadonlyMap<string, unknown>): readonly string[] {
  if (entries.size === 0) return [`${name}: {}`];
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return [`${name}:`, ...sorted.map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`)];
}
