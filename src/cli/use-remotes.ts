import {
  type Digest,
  type FetchedContent,
  findSigningKey,
  parseDuration,
  RemoteFailure,
  type RemoteProblem,
  Remotes,
  type Settings,
  type Store,
  trustedKeys,
  type WantedContent,
} from '../runtime/index.ts';
import type { CommandContext } from './commands/command-declaration.ts';
import { UsageError } from './exit-code.ts';
import { Interruption } from './interruption.ts';
import { openNamedRemote } from './open-remotes.ts';
import { safeLine } from './terminal/safe-text.ts';
import { openTransferReporter } from './transfer-progress.ts';

/**
 * The remotes that the settings name, to look for results in. One whose settings cannot be used, such as for a variable that
 * is not set, is left out and told of.
 */
export async function openRemotes(
  settings: Settings,
  {
    context,
    onProblem,
  }: { readonly context: CommandContext; readonly onProblem: (problem: RemoteProblem) => void },
): Promise<Remotes> {
  const opened = [];
  for (const [name, setting] of settings.remotes) {
    const [variable] = setting.unset;
    if (variable !== undefined) {
      onProblem({ remote: name, message: `it needs the environment variable ${variable}, which is not set` });
      continue;
    }
    try {
      const store = await openNamedRemote(name, setting, context);
      opened.push({ store, timeoutMs: parseDuration(setting.value.timeout) ?? 30_000 });
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof RemoteFailure)) throw error;
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

/** Brings contents into the store from remotes, with progress on standard error. Returns those that no remote gave. */
export async function bringContents({
  store,
  remotes,
  contents,
  context,
  json,
}: Bringing): Promise<ReadonlySet<Digest>> {
  const { terminal } = context;
  const reporter = openTransferReporter(terminal, { verb: 'received', json });
  using interruption = Interruption.listen({ terminal, notice: terminal.complain });
  const progress = new Map<
    Digest,
    { readonly bytes: number; readonly total: number; readonly isDone: boolean }
  >();
  const report = (fetched: FetchedContent): void => {
    const { digest } = fetched.content;
    const before = progress.get(digest) ?? { bytes: 0, total: 0, isDone: false };
    const now =
      fetched.kind === 'progress'
        ? { bytes: fetched.done, total: fetched.total ?? fetched.done, isDone: false }
        : { ...before, isDone: fetched.kind === 'finished' };
    progress.set(digest, now);
    const all = [...progress.values()];
    reporter.report({
      files: all.filter(({ isDone }) => isDone).length,
      totalFiles: contents.length,
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      totalBytes: all.reduce((sum, { total }) => sum + total, 0),
    });
  };
  const lacking = await remotes
    .fetch(store, contents, { signal: interruption.signal, report })
    .finally(reporter.close);
  await store.statCache.save();
  return lacking;
}
