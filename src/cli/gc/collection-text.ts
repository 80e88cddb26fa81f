import type { Collection, HoldingKind, Keeping } from '../../runtime/index.ts';
import { counted, formatBytes, formatCount } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { renderTable } from '../terminal/table.ts';

const nouns: Readonly<Record<HoldingKind, string>> = {
  result: 'results',
  memo: 'remembered answers',
  checkpoint: 'kept epochs',
  attempt: 'unfinished work',
  source: 'remote sources',
  run: 'records of runs',
  blob: 'files',
  temporary: 'temporary files',
  view: 'views',
};

const reasons: Readonly<Record<Keeping, string>> = {
  locked: 'locked',
  'last-runs': 'of the last runs',
  'open-run': 'a run is under way',
  recent: 'used lately',
  young: 'younger than a day',
};

const largest = 5;

/** What goes and what stays and why, a line for each kind of thing, and the largest that go. */
export function collectionText(collection: Collection): string {
  const { goes, stays, blobs } = collection;
  const kinds = [...new Set([...goes, ...stays].map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const [going, staying] = [goes, stays].map((list) => list.filter((one) => one.kind === kind));
    const why = Object.entries(reasons).flatMap(([because, words]) => {
      const count = stays.filter((one) => one.kind === kind && one.because === because).length;
      return count === 0 ? [] : [`${formatCount(count)} ${words}`];
    });
    return [nouns[kind], formatCount(going?.length ?? 0), formatCount(staying?.length ?? 0), why.join(', ')];
  });
  const freed = [...blobs.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const files = ['their files', formatCount(blobs.size), '', `frees ${formatBytes(freed)}`];
  const table = renderTable({
    head: ['', 'go', 'stay', 'because'],
    rows: blobs.size === 0 ? rows : [...rows, files],
    align: ['left', 'right', 'right', 'left'],
  });
  return [table, ...largestText(collection)].join('\n');
}

function largestText({ goes }: Collection): readonly string[] {
  const big = goes
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, largest);
  if (big.length === 0) return [];
  const rows = big.map(({ name, bytes, usedAt }) => [
    safeLine(name).slice(0, 44),
    formatBytes(bytes),
    `last used ${new Date(usedAt).toISOString().slice(0, 10)}`,
  ]);
  return ['', 'The largest that go:', renderTable({ rows, align: ['left', 'right', 'left'] })];
}

/** One line: what the store holds, and what it would hold. */
export function sizesText(root: string, { bytes, bytesAfter, openRuns }: Collection): string {
  const open = openRuns.length === 0 ? '' : `; ${counted(openRuns.length, 'run')} under way`;
  return `${root} holds ${formatBytes(bytes)}, and ${formatBytes(bytesAfter)} afterwards${open}`;
}
