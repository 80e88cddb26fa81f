import {
  contentState,
  type Dag,
  findSigningKey,
  ownSigningKey,
  pushPermission,
  pushRecords,
  RemoteFailure,
  type Remotes,
  type RunResult,
  readRecord,
  type Settings,
  type Store,
  trustedKeys,
  type WantedContent,
} from '../../runtime/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import { UsageError } from '../exit-code.ts';
import { openNamedRemote } from '../open-remotes.ts';
import { finishedOutputs } from '../summary/outputs.ts';
import { counted, formatBytes } from '../terminal/format-number.ts';
import { openTransferReporter } from '../transfer-progress.ts';
import { bringContents, complainOf } from '../use-remotes.ts';

interface Shared {
  readonly dag: Dag;
  readonly store: Store;
  readonly context: CommandContext;
  readonly json: boolean | undefined;
}

/** Brings the scores here that a run reused and that only a remote has: they are what a run shows. */
export async function bringScores(
  result: RunResult,
  { remotes, ...shared }: Shared & { readonly remotes: Remotes },
): Promise<void> {
  const contents: WantedContent[] = [];
  for (const { node, type, digest } of finishedOutputs(shared.dag, result)) {
    if (type !== 'scores' || (await contentState(shared.store, digest)) === 'present') continue;
    contents.push({ digest, name: node.id });
  }
  if (contents.length > 0) await bringContents({ ...shared, remotes, contents });
}

/** Sends the results of a run to the remotes that take them from every run. What fails is told, and no failure of the run. */
export async function pushResults(
  { stages }: RunResult,
  {
    settings,
    store,
    context,
    json,
    signal,
  }: Omit<Shared, 'dag'> & { readonly settings: Settings; readonly signal: AbortSignal },
): Promise<void> {
  const { terminal, environment } = context;
  const automatic = [...settings.remotes].filter(([, { value }]) => value.push === 'auto');
  const hasRun = [...stages.values()].some(({ decision }) => decision === 'ran');
  if (automatic.length === 0 || !hasRun || signal.aborted || !pushPermission(environment).allowed) return;
  const records = [...stages.values()].flatMap((outcome) => {
    if (outcome.decision !== 'ran' && outcome.decision !== 'reused') return [];
    const found = readRecord(store, outcome.key);
    return found.kind === 'usable' ? [found.record] : [];
  });
  const named = settings.trustedKeys.map(({ value }) => value);
  const complain = complainOf(context);
  for (const [name, setting] of automatic) {
    const reporter = openTransferReporter(terminal, { verb: 'sent', json });
    try {
      const signingKey = environment.CI ? findSigningKey(environment) : await ownSigningKey(environment);
      if (signingKey === undefined)
        throw new UsageError({
          message: 'nothing is sent: this job has no key to sign results with',
          help: "`tuneloom key --new` prints one to keep among the job's secrets, as TUNELOOM_SIGNING_KEY",
        });
      const { sent } = await pushRecords({
        ...{ store, records, signingKey, signal },
        remote: await openNamedRemote(name, setting, context),
        trusted: trustedKeys(named, signingKey),
        checksFiles: false,
        again: false,
        dryRun: false,
        onProgress: reporter.report,
      });
      if (sent.results > 0 && !json)
        terminal.print(`sent ${counted(sent.results, 'result')} to ${name} (${formatBytes(sent.bytes)})`);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof UsageError || error instanceof RemoteFailure)) throw error;
      const { message, help } = error;
      complain({ remote: name, message, ...(help !== undefined && { help }) });
    } finally {
      await reporter.close();
    }
  }
}
