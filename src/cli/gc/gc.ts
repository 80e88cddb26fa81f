import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Collection,
  type Holding,
  type HoldingKind,
  type Keeping,
  linkedStore,
  planCollection,
  projectFolder,
  type Removal,
  removeCollection,
  type Store,
} from '../../runtime/index.ts';
import type { CommandCall, CommandContext } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { namedFile } from '../open-pipeline.ts';
import { storeOf } from '../open-settings.ts';
import { counted, formatBytes, formatCount } from '../terminal/format-number.ts';
import { renderTable } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { canAsk, confirm, type Terminal } from '../terminal/terminal.ts';

/** `tuneloom gc`: lists what has not been used for a long time and removes it. */
export async function gcCommand({ words, options, context }: CommandCall<GcOptions>): Promise<ExitCode> {
  const { file } = namedFile({ words, context, mostNames: 0 });
  const store = await storeOf({ file, options, context });
  const linked = linkedStore(store);
  if (linked !== undefined) throw new UsageError(linked);
  const locks = findLocks(store, { file, context });
  const collection = planCollection(store, {
    now: new Date(),
    olderThanMs: options.olderThan,
    maxBytes: options.maxSize,
    locked: locks.named,
  });
  const { terminal } = context;
  const isIdle = collection.goes.length === 0 && collection.blobs.size === 0;
  if (!options.json) {
    terminal.print(sizesText(store.root, collection));
    if (collection.goes.length + collection.stays.length > 0)
      terminal.print(collectionText(collection, terminal));
    terminal.print(
      `${counted(locks.files.length, 'lock')} of this project: the results that they name stay.`,
    );
  }
  const removal = options.dryRun || isIdle ? undefined : await remove(store, { collection, options });
  if (options.json) terminal.print(JSON.stringify(asJson(store, { collection, locks, removal })));
  else terminal.print(endText(removal, { isIdle, dryRun: options.dryRun === true }));
  return exitCode.success;
}

interface GcOptions extends StoreOptions {
  /** In milliseconds. */
  readonly olderThan: number;
  /** In bytes. */
  readonly maxSize?: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

async function remove(
  store: Store,
  { collection, options }: { readonly collection: Collection; readonly options: GcOptions },
): Promise<Removal | undefined> {
  if (!options.yes && (options.json || !canAsk()))
    throw new UsageError({
      message: 'this removes results, and there is no terminal to ask for confirmation',
      help: 'add --yes to remove them, or --dry-run to only list them',
    });
  if (!options.yes && !(await confirm('Remove them?'))) return undefined;
  return await removeCollection(store, collection);
}

function endText(
  removal: Removal | undefined,
  { isIdle, dryRun }: { readonly isIdle: boolean; readonly dryRun: boolean },
): string {
  if (isIdle) return 'Nothing to remove.';
  if (removal === undefined)
    return dryRun ? 'Nothing was removed: this was a dry run.' : 'Nothing was removed.';
  const spared = removal.spared === 0 ? '' : `; ${removal.spared} kept, used in the meantime`;
  return `Removed ${counted(removal.removed.length, 'item')} and ${counted(removal.blobs, 'file')}: ${formatBytes(removal.bytes)} freed${spared}.`;
}

function asJson(
  store: Store,
  {
    collection,
    locks,
    removal,
  }: {
    readonly collection: Collection;
    readonly locks: FoundLocks;
    readonly removal: Removal | undefined;
  },
): object {
  const { goes, stays, blobs, bytes, bytesAfter, openRuns } = collection;
  return {
    store: store.root,
    locks: locks.files,
    open_runs: openRuns,
    bytes,
    bytes_after: bytesAfter,
    goes: goes.map(holdingJson),
    stays: stays.map((one) => ({ ...holdingJson(one), because: one.because })),
    files: blobs.size,
    ...(removal && {
      removed: {
        things: removal.removed.length,
        files: removal.blobs,
        bytes: removal.bytes,
        spared: removal.spared,
      },
    }),
  };
}

const holdingJson = ({ kind, path, name, bytes, usedAt }: Holding): object => ({
  kind,
  path,
  name,
  bytes,
  used_at: new Date(usedAt).toISOString(),
});

const nouns: Readonly<Record<HoldingKind, string>> = {
  result: 'results',
  memo: 'cached responses',
  checkpoint: 'kept epochs',
  attempt: 'unfinished work',
  source: 'remote sources',
  run: 'records of runs',
  temporary: 'temporary files',
};

const reasons: Readonly<Record<Keeping, string>> = {
  locked: 'locked',
  'last-runs': 'of the last runs',
  'open-run': 'used by a run in progress',
  recent: 'used recently',
  young: 'younger than a day',
};

const largest = 5;

/** A line for each kind of thing: how many are removed, how many are kept and why; then the largest to remove. */
function collectionText(collection: Collection, { width: columns }: Terminal): string {
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
    head: ['', 'remove', 'keep', 'because'],
    rows: blobs.size === 0 ? rows : [...rows, files],
    align: ['left', 'right', 'right', 'left'],
    fold: [undefined, undefined, undefined, 'wrap'],
    columns,
  });
  return [table, ...largestText(collection, columns)].join('\n');
}

function largestText({ goes }: Collection, columns: number): readonly string[] {
  const big = goes
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, largest);
  if (big.length === 0) return [];
  const rows = big.map(({ name, bytes, usedAt }) => [
    safeLine(name),
    formatBytes(bytes),
    `last used ${new Date(usedAt).toISOString().slice(0, 10)}`,
  ]);
  return [
    '',
    'The largest to remove:',
    renderTable({ rows, align: ['left', 'right', 'left'], fold: ['cut'], columns }),
  ];
}

/** One line: the size of the store, now and afterwards. */
function sizesText(root: string, { bytes, bytesAfter, openRuns }: Collection): string {
  const open = openRuns.length === 0 ? '' : `; ${counted(openRuns.length, 'run')} in progress`;
  return `${root} holds ${formatBytes(bytes)}, and ${formatBytes(bytesAfter)} afterwards${open}`;
}

interface FoundLocks {
  /** Absolute paths. */
  readonly files: readonly string[];
  /** Every key and digest in them, as 64 hexadecimal digits. */
  readonly named: ReadonlySet<string>;
}

/** The depth to which a project's folder is searched for locks. */
const mostLevels = 8;

/** The locks of the project around the working directory or the named file, and of the project with the store. */
function findLocks(
  store: Store,
  {
    file = 'pipeline.yaml',
    context,
  }: { readonly file?: string | undefined; readonly context: CommandContext },
): FoundLocks {
  const { workingDirectory } = context;
  const project = projectFolder({ pipelineFile: file, workingDirectory });
  const files = [...new Set([project, dirname(store.root)].flatMap((folder) => locksBelow(folder, 0)))];
  const named = files.flatMap((path) => readFileSync(path, 'utf8').match(/\b[0-9a-f]{64}\b/g) ?? []);
  return { files, named: new Set(named) };
}

function locksBelow(folder: string, level: number): readonly string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return /\.lock\.ya?ml$/i.test(entry.name) ? [path] : [];
    const isSkipped = entry.name.startsWith('.') || entry.name === 'node_modules' || isStore(path);
    return entry.isDirectory() && !isSkipped && level < mostLevels ? locksBelow(path, level + 1) : [];
  });
}

const isStore = (folder: string): boolean =>
  ['blobs', 'actions'].every((name) => entriesOf(folder).some((entry) => entry.name === name));

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // a folder that the user may not read holds none of the user's pipelines
  }
}
