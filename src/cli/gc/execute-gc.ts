import {
  type Collection,
  type Holding,
  linkedFolder,
  planCollection,
  type Removal,
  removeCollection,
  type Store,
} from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { GcOptions } from '../commands/gc-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { namedFile } from '../pipeline/named-file.ts';
import { projectStore } from '../pipeline/pipeline-store.ts';
import { canAsk, confirm } from '../terminal/confirm.ts';
import { counted, formatBytes } from '../terminal/format-number.ts';
import { UsageError } from '../usage-error.ts';
import { collectionText, sizesText } from './collection-text.ts';
import { type FoundLocks, findLocks } from './find-locks.ts';

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
