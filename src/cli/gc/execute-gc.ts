import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Collection,
  type Holding,
  type HoldingKind,
  type Keeping,
  linkedFolder,
  locateStore,
  planCollection,
  type Removal,
  removeCollection,
  type Store,
} from '../../runtime/index.ts';
import type { CommandCall, CommandContext } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { namedFile, projectStore } from '../open-pipeline.ts';
import { counted, formatBytes, formatCount } from '../terminal/format-number.ts';
import { renderTable } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { canAsk, confirm } from '../terminal/terminal.ts';

/** `tuneloom gc`: says what nothing has used for long and removes it. */
export async function execute({ words, options, context }: CommandCall<GcOptions>): Promise<ExitCode> {
  const { file } = namedFile({ words, context, mostNames: 0 });
  const store = projectStore({ file, options, context });
  refuseLinks(store);
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
    if (collection.goes.length + collection.stays.length > 0) terminal.print(collectionText(collection));
    terminal.print(`${counted(locks.files.length, 'lock')} of this project: what they name stays.`);
  }
  const removal = options.dryRun || isIdle ? undefined : await remove(store, { collection, options });
  if (options.json) terminal.print(JSON.stringify(asJson(store, { collection, locks, removal })));
  else terminal.print(endText(removal, { isIdle, dryRun: options.dryRun === true }));
  return exitCode.success;
}

async function remove(
  store: Store,
  { collection, options }: { readonly collection: Collection; readonly options: GcOptions },
): Promise<Removal | undefined> {
  if (!options.yes && (options.json || !canAsk()))
    throw new UsageError({
      message: 'nobody is there to ask whether all this may go',
      help: 'say --yes to remove it, or --dry-run to look only',
    });
  if (!options.yes && !(await confirm('Remove what goes?'))) return undefined;
  return await removeCollection(store, collection);
}

function endText(
  removal: Removal | undefined,
  { isIdle, dryRun }: { readonly isIdle: boolean; readonly dryRun: boolean },
): string {
  if (isIdle) return 'Nothing goes.';
  if (removal === undefined)
    return dryRun ? 'Nothing was removed: this was a dry run.' : 'Nothing was removed.';
  const spared = removal.spared === 0 ? '' : `; ${removal.spared} left, used meanwhile`;
  return `Removed ${counted(removal.removed.length, 'thing')} and ${counted(removal.blobs, 'file')}: ${formatBytes(removal.bytes)} freed${spared}.`;
}

function refuseLinks(store: Store): void {
  const link = linkedFolder(store);
  if (link === undefined) return;
  throw new UsageError({
    message: `\`${link}\` of the store ${store.root} is a link, which tuneloom never makes there: it could lead out of the store`,
    help: 'delete the link',
  });
}

const asJson = (
  store: Store,
  found: {
    readonly collection: Collection;
    readonly locks: FoundLocks;
    readonly removal: Removal | undefined;
  },
): object => {
  const { goes, stays, blobs, bytes, bytesAfter, openRuns } = found.collection;
  const { removal } = found;
  return {
    store: store.root,
    locks: found.locks.files,
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
};

const holdingJson = ({ kind, path, name, bytes, usedAt }: Holding): object => ({
  kind,
  path,
  name,
  bytes,
  used_at: new Date(usedAt).toISOString(),
});

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
  recent: 'used recently',
  young: 'younger than a day',
};

const largest = 5;

/** What goes and what stays and why, a line for each kind of thing, and the largest that go. */
function collectionText(collection: Collection): string {
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
function sizesText(root: string, { bytes, bytesAfter, openRuns }: Collection): string {
  const open = openRuns.length === 0 ? '' : `; ${counted(openRuns.length, 'run')} under way`;
  return `${root} holds ${formatBytes(bytes)}, and ${formatBytes(bytesAfter)} afterwards${open}`;
}

interface FoundLocks {
  /** Absolute paths. */
  readonly files: readonly string[];
  /** Every key and digest that they name, as 64 hexadecimal digits. */
  readonly named: ReadonlySet<string>;
}

/** How far below a project's folder its pipelines are looked for. */
const mostLevels = 8;

/** The locks of the project around the working directory, or around the named file, and of the one that holds the store. */
function findLocks(
  store: Store,
  {
    file = 'pipeline.yaml',
    context,
  }: { readonly file?: string | undefined; readonly context: CommandContext },
): FoundLocks {
  const { workingDirectory } = context;
  const project = dirname(locateStore({ pipelineFile: file, workingDirectory }));
  const files = [...new Set([project, dirname(store.root)].flatMap((folder) => locksBelow(folder, 0)))];
  const named = files.flatMap((path) => readFileSync(path, 'utf8').match(/\b[0-9a-f]{64}\b/g) ?? []);
  return { files, named: new Set(named) };
}

function locksBelow(folder: string, level: number): readonly string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return /\.lock\.ya?ml$/i.test(entry.name) ? [path] : [];
    const isOthers = entry.name.startsWith('.') || entry.name === 'node_modules' || isStore(path);
    return entry.isDirectory() && !isOthers && level < mostLevels ? locksBelow(path, level + 1) : [];
  });
}

const isStore = (folder: string): boolean =>
  ['blobs', 'actions'].every((name) => entriesOf(folder).some((entry) => entry.name === name));

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // a folder that only others may read holds no pipeline of this person's
  }
}

export interface GcOptions extends JsonOption {
  /** In milliseconds. */
  readonly olderThan: number;
  /** In bytes. */
  readonly maxSize?: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly store?: string;
}
