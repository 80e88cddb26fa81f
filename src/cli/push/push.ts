import {
  type ActionRecord,
  findSigningKey,
  ownSigningKey,
  type PushResult,
  pushPermission,
  pushRecords,
  RemoteFailure,
  type SigningKey,
  signingKeyVariable,
  trustedKeys,
} from '../../runtime/index.ts';
import { usableSettings } from '../approve-settings.ts';
import type { CommandCall, CommandContext } from '../commands/command-declaration.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { chooseRemote, openNamedRemote, reportRemoteFailure } from '../open-remotes.ts';

import { counted, formatBytes } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { openTransferReporter } from '../transfer-progress.ts';
import { type ChoiceOptions, chooseResults } from './choose-results.ts';

export interface PushOptions extends ChoiceOptions {
  readonly remote?: string;
  readonly check?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/** `tuneloom push`: sends results to a remote, and only what it lacks. */
export async function pushCommand(call: CommandCall<PushOptions>): Promise<ExitCode> {
  const { options, context } = call;
  const { terminal, environment } = context;
  const permission = pushPermission(environment);
  if (!permission.allowed && options.dryRun !== true)
    throw new UsageError({
      message: `nothing is sent: ${permission.because}`,
      help: 'where that is meant, set TUNELOOM_PUSH=auto',
    });
  const chosen = await chooseResults(call);
  if (chosen === undefined) return exitCode.badUsage;
  const settings = await usableSettings({ file: chosen.file, options, context });
  const { name, setting } = chooseRemote(settings, options.remote);
  const remote = await openNamedRemote(name, setting, context);
  const signingKey = await keyOf(context);
  const named = settings.trustedKeys.map(({ value }) => value);
  const reporter = openTransferReporter(terminal, { verb: 'sent', json: options.json });
  using interruption = Interruption.listen({ terminal, notice: terminal.complain });
  const { signal } = interruption;
  try {
    const result = await pushRecords({
      ...{ store: chosen.store, remote, records: chosen.records, signingKey, signal },
      trusted: trustedKeys(named, signingKey),
      checksFiles: options.check === true,
      again: options.force === true,
      dryRun: options.dryRun === true,
      onProgress: reporter.report,
    }).finally(reporter.close);
    const view = { ...chosen, result, remote: name, url: remote.url, dryRun: options.dryRun === true };
    if (options.json) terminal.print(JSON.stringify(pushJson(view)));
    else {
      terminal.print(pushText(view));
      const isNamed = trustedKeys(named, undefined).has(signingKey.publicKey);
      if (!isNamed && result.sent.results > 0 && !view.dryRun)
        terminal.print('Others use them once their settings name your key: `tuneloom key` shows it.');
    }
    return exitCode.success;
  } catch (error) {
    if (signal.aborted) return interruption.code;
    if (!(error instanceof RemoteFailure)) throw error;
    return reportRemoteFailure(name, { failure: error, terminal, json: options.json });
  }
}

/** A job whose disk is gone tomorrow must not make a key that nobody trusts. */
async function keyOf({ environment }: CommandContext): Promise<SigningKey> {
  const found = findSigningKey(environment);
  if (found !== undefined) return found;
  if (environment.CI)
    throw new UsageError({
      message: `this job has no key to sign results with: ${signingKeyVariable} is not set`,
      help: `\`tuneloom key --new\` prints one to keep among the job's secrets`,
    });
  return ownSigningKey(environment);
}

interface PushView {
  readonly remote: string;
  readonly url: string;
  readonly result: PushResult;
  readonly dryRun: boolean;
  /** Of stages that were chosen and have no result. */
  readonly without: readonly string[];
}

const nameOf = ({ provenance, key }: ActionRecord): string => `${provenance.stage} (${key.slice(0, 12)})`;

const pushJson = ({ remote, url, result, dryRun, without }: PushView): object => ({
  remote,
  url,
  dry_run: dryRun,
  sent: result.sent,
  present: result.present,
  replaced: result.replaced,
  incomplete: result.incomplete.map(({ key }) => key),
  different: result.different.map(({ key }) => key),
  without_result: without,
});

function pushText({ remote, url, result, dryRun, without }: PushView): string {
  const { sent, present, replaced, incomplete, different } = result;
  const place = `${remote} (${safeLine(url)})`;
  const what = `${counted(sent.results, 'result')}, ${counted(sent.files, 'file')}, ${formatBytes(sent.bytes)}`;
  const there =
    present === 0 ? '' : `; ${counted(present, 'result')} ${present === 1 ? 'was' : 'were'} there`;
  const head =
    sent.results === 0
      ? `${place}: nothing to send${there}`
      : `${place}: ${dryRun ? 'would send' : 'sent'} ${what}${there}`;
  return [
    head,
    ...(replaced > 0
      ? [
          `note: ${counted(replaced, 'record')} there had no signature that counts, and ${dryRun ? 'would be' : replaced === 1 ? 'was' : 'were'} replaced`,
        ]
      : []),
    ...named(
      incomplete.map(nameOf),
      'not whole on this machine, and not sent',
      '`tuneloom pull` fetches the files',
    ),
    ...named(
      different.map(nameOf),
      'there with other bytes, which stay',
      '`tuneloom run --rerun` says which bytes come out',
    ),
    ...named(without, 'without a result', '`tuneloom run` makes it'),
  ].join('\n');
}

const mostNames = 5;

const named = (names: readonly string[], what: string, help: string): readonly string[] => {
  if (names.length === 0) return [];
  const shown = names.slice(0, mostNames).map(safeLine).join(', ');
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  return [`note: ${what}: ${shown}${more} (${help})`];
};
