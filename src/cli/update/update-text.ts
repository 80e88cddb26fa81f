import type { UpdatedSource } from '../../runtime/index.ts';
import { counted } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';

/** What became of each source: what it was and what it is, or that it is what it was. */
export function updateText({
  pipeline,
  sources,
}: {
  readonly pipeline: string;
  readonly sources: readonly UpdatedSource[];
}): string {
  if (sources.length === 0) return `${pipeline}: no remote sources`;
  const changed = sources.filter(isChanged).length;
  return [
    `${pipeline}: ${counted(sources.length, 'source')} resolved again, ${changed === 0 ? 'none' : changed} changed`,
    ...sources.flatMap(linesOf),
  ].join('\n');
}

const isChanged = ({ before, after }: UpdatedSource): boolean => before?.digest !== after.digest;

function linesOf(source: UpdatedSource): readonly string[] {
  const { address, before, after } = source;
  const name = `  ${safeLine(address)}`;
  if (!isChanged(source)) return [`${name}  unchanged (${spell(after)})`];
  return [
    name,
    `    was ${before === undefined ? '(not resolved)' : spell(before)}`,
    `    is  ${spell(after)}`,
  ];
}

/** Enough of a commit and a digest to tell two apart. */
function spell({ digest, revision }: UpdatedSource['after']): string {
  const content = digest.replace(/([0-9a-f]{12})[0-9a-f]{52}$/, '$1');
  return revision === undefined ? content : `${safeLine(revision).slice(0, 12)}  ${content}`;
}
