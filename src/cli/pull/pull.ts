import {
  type ActionRecord,
  contentState,
  type Digest,
  digestsAt,
  parseCacheKey,
  RemoteFailure,
  type RemoteProblem,
  type Remotes,
  type Settings,
  type Store,
  type WantedContent,
} from '../../runtime/index.ts';
import { usableSettings } from '../approve-settings.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { splitWords } from '../open-pipeline.ts';
import { chooseRemote, openNamedRemote, reportRemoteFailure } from '../open-remotes.ts';
import { storeIn } from '../open-settings.ts';
import { type ChoiceOptions, chooseResults } from '../push/choose-results.ts';
import { counted, formatBytes } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { openTransferReporter } from '../transfer-progress.ts';
import { complainOf, fetchContents, openRemotes } from '../use-remotes.ts';

export interface PullOptions extends ChoiceOptions {
  readonly remote?: string;
}

/** `tuneloom pull`: fetches what results hold from the remotes that have it. */
export async function pullCommand(call: CommandCall<PullOptions>): Promise<ExitCode> {
  const { words, options, context } = call;
  const { terminal } = context;
  const settings = await usableSettings({ file: splitWords(words).file, options, context });
  // Reports that there is none, or none of the name.
  if (settings.remotes.size === 0 || options.remote !== undefined) chooseRemote(settings, options.remote);
  const problems: RemoteProblem[] = [];
  const complain = complainOf(context);
  const onProblem = (problem: RemoteProblem): void => {
    problems.push(problem);
    if (!options.json) complain(problem);
  };
  const remotes = await openRemotes(settings, { context, only: options.remote, onProblem });
  using interruption = Interruption.listen({ terminal, notice: terminal.complain });
  const { signal } = interruption;
  try {
    if (options.all === true) {
      const failed = await learnAll(remotes, { settings, store: storeIn(settings, context), call, signal });
      if (failed !== undefined) return failed;
    }
    const chosen = await chooseResults(call, remotes);
    if (chosen === undefined) return exitCode.badUsage;
    const { store, records, without } = chosen;
    const wanted = await missingContents(store, records);
    const reporter = openTransferReporter(terminal, { verb: 'fetched', noun: 'outputs', json: options.json });
    const { bytes, lacking } = await fetchContents({
      store,
      remotes,
      contents: wanted,
      reporter,
      signal,
    }).finally(reporter.close);
    const view = {
      ...{ outputs: wanted.length - lacking.size, bytes, without, problems },
      lacking: wanted.filter(({ digest }) => lacking.has(digest)).map(({ name }) => name),
      here: outputsOf(records).length - wanted.length,
    };
    terminal.print(options.json ? JSON.stringify(pullJson(view)) : pullText(view));
    return lacking.size === 0 ? exitCode.success : exitCode.stageFailed;
  } catch (error) {
    if (signal.aborted) return interruption.code;
    throw error;
  }
}

/** Takes every record that a remote lists into the store; an exit code if it cannot list them. */
async function learnAll(
  remotes: Remotes,
  {
    settings,
    store,
    call,
    signal,
  }: {
    readonly settings: Settings;
    readonly store: Store;
    readonly call: CommandCall<PullOptions>;
    readonly signal: AbortSignal;
  },
): Promise<ExitCode | undefined> {
  const { options, context } = call;
  const { name, setting } = chooseRemote(settings, options.remote);
  const remote = await openNamedRemote(name, setting, context);
  try {
    const keys = [];
    for await (const text of remote.list('record', { signal })) keys.push(parseCacheKey(text) ?? []);
    await remotes.learn(store, keys.flat(), signal);
    return undefined;
  } catch (failure) {
    if (!(failure instanceof RemoteFailure)) throw failure;
    return reportRemoteFailure(name, { failure, terminal: context.terminal, json: options.json });
  }
}

/** The contents of results, each once, with a name for people. */
function outputsOf(records: readonly ActionRecord[]): readonly WantedContent[] {
  const contents = new Map<Digest, WantedContent>();
  for (const { outputs, provenance } of records)
    for (const [port, content] of Object.entries(outputs))
      for (const { digest, part } of digestsAt(content)) {
        const name = [provenance.stage, port, ...(part === undefined ? [] : [part])].join('.');
        if (!contents.has(digest)) contents.set(digest, { digest, name });
      }
  return [...contents.values()];
}

async function missingContents(
  store: Store,
  records: readonly ActionRecord[],
): Promise<readonly WantedContent[]> {
  const missing: WantedContent[] = [];
  for (const content of outputsOf(records))
    if ((await contentState(store, content.digest)) !== 'present') missing.push(content);
  return missing;
}

interface PullView {
  /** How many arrived. */
  readonly outputs: number;
  readonly bytes: number;
  /** The names of those that no remote gave. */
  readonly lacking: readonly string[];
  /** How many were here already. */
  readonly here: number;
  /** Of stages that were chosen and have no result. */
  readonly without: readonly string[];
  readonly problems: readonly RemoteProblem[];
}

const pullJson = ({ outputs, bytes, here, lacking, without, problems }: PullView): object => ({
  fetched: { outputs, bytes },
  here,
  lacking,
  without_result: without,
  problems,
});

function pullText({ outputs, bytes, here, lacking, without }: PullView): string {
  const there = here === 0 ? '' : `; ${counted(here, 'output')} ${here === 1 ? 'was' : 'were'} here`;
  return [
    outputs === 0
      ? `nothing to fetch${there}`
      : `fetched ${counted(outputs, 'output')}, ${formatBytes(bytes)}${there}`,
    ...(lacking.length > 0 ? [`no remote gave ${lacking.map(safeLine).join(', ')}`] : []),
    ...(without.length > 0 ? [`note: no remote has a result of ${without.map(safeLine).join(', ')}`] : []),
  ].join('\n');
}
