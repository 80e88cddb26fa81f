import {
  type Digest,
  type FetchedContent,
  findSigningKey,
  RemoteFailure,
  type RemoteProblem,
  Remotes,
  type Settings,
  type Store,
  trustedKeys,
  type WantedContent,
} from '../runtime/index.ts';
import type { CommandContext } from './commands/command-declaration.ts';
import { Interruption } from './interruption.ts';
import { openFromSettings, timeoutOf } from './open-remotes.ts';
import { safeLine } from './terminal/safe-text.ts';
import { openTransferReporter, type TransferReporter } from './transfer-progress.ts';

/**
 * The remotes that the settings name, to look for results in. One whose settings cannot be used, such as for a variable that
 * is not set, is left out and told of.
 */
export async function openRemotes(
  settings: Settings,
  {
    context,
    only,
    onProblem,
  }: {
    readonly context: CommandContext;
    /** The name of the only one to use; by default all. */
    readonly only?: string | undefined;
    readonly onProblem: (problem: RemoteProblem) => void;
  },
): Promise<Remotes> {
  const opened = [];
  for (const [name, setting] of settings.remotes) {
    if (only !== undefined && name !== only) continue;
    try {
      const store = await openFromSettings(name, setting, context);
      opened.push({ store, timeoutMs: timeoutOf(setting.value) });
    } catch (error) {
      if (!(error instanceof RemoteFailure)) throw error;
      const { message, help } = error;
      onProblem({ remote: name, message, ...(help !== undefined && { help }) });
    }
  }
  const named = settings.trustedKeys.map(({ value }) => value);
  const trusted = trustedKeys(named, findSigningKey(context.environment));
  return new Remotes({ remotes: opened, trusted, onProblem });
}

/** Tells of a remote's problem on standard error. */
export const complainOf =
  ({ terminal }: Pick<CommandContext, 'terminal'>) =>
  ({ remote, message, help }: RemoteProblem): void =>
    terminal.complain(
      `warning: ${safeLine(`the remote ${remote}: ${message}`)}${help === undefined ? '' : `\n  help: ${safeLine(help)}`}`,
    );

interface Bringing {
  readonly store: Store;
  readonly remotes: Remotes;
  readonly contents: readonly WantedContent[];
  readonly context: CommandContext;
  readonly json: boolean | undefined;
}

/** Brings contents into the store from remotes, with progress on standard error. */
export async function bringContents({ context, json, ...fetch }: Bringing): Promise<void> {
  const { terminal } = context;
  using interruption = Interruption.listen({ terminal, notice: terminal.complain });
  const { signal } = interruption;
  const reporter = openTransferReporter(terminal, { verb: 'received', noun: 'outputs', json });
  try {
    await fetchContents({ ...fetch, reporter, signal });
  } catch (error) {
    // What did not arrive is missing, and its user says so.
    if (!signal.aborted) throw error;
  } finally {
    await reporter.close();
  }
}

/** What of some contents has arrived from remotes. */
export interface Received {
  readonly bytes: number;
  /** The digests of those that no remote gave. */
  readonly lacking: ReadonlySet<Digest>;
}

/** Fetches contents that are not here. Throws the signal's reason. */
export async function fetchContents({
  store,
  remotes,
  contents,
  reporter,
  signal,
}: Pick<Bringing, 'store' | 'remotes' | 'contents'> & {
  readonly reporter: TransferReporter;
  readonly signal: AbortSignal;
}): Promise<Received> {
  const progress = new Map<Digest, { readonly done: number; readonly total: number }>();
  const finished = new Set<Digest>();
  const sumOf = (field: 'done' | 'total'): number =>
    [...progress.values()].reduce((sum, each) => sum + each[field], 0);
  const report = (fetched: FetchedContent): void => {
    const { digest } = fetched.content;
    if (fetched.kind === 'finished') finished.add(digest);
    if (fetched.kind === 'failed') progress.delete(digest);
    if (fetched.kind === 'progress')
      progress.set(digest, { done: fetched.done, total: fetched.total ?? fetched.done });
    const [bytes, totalBytes] = [sumOf('done'), sumOf('total')];
    reporter.report({ files: finished.size, totalFiles: contents.length, bytes, totalBytes });
  };
  const lacking = await remotes.fetch(store, contents, { signal, report });
  await store.statCache.save();
  return { bytes: sumOf('done'), lacking };
}
