import { createHash } from 'node:crypto';
import { RemoteFailure, type RemoteObject, type RemoteStore, type Settings } from '../../runtime/index.ts';
import { usableSettings } from '../approve-settings.ts';
import type { CommandCall, CommandContext } from '../commands/command-declaration.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { chooseRemote, openNamedRemote } from '../open-remotes.ts';
import { originText } from '../open-settings.ts';
import { formatDuration } from '../terminal/format-number.ts';
import { renderTable } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { type AddOptions, addRemote } from './add-remote.ts';

export interface RemoteOptions extends AddOptions {
  readonly write?: boolean;
}

/** `tuneloom remote`: adds a remote to the settings, lists those in force, and checks that they can be used. */
export async function remoteCommand({
  words,
  options,
  context,
}: CommandCall<RemoteOptions>): Promise<ExitCode> {
  const [action = 'list', ...rest] = words;
  switch (action) {
    case 'add':
      return addRemote({ words: rest, options, context });
    case 'list':
      requireWords(rest, { most: 0, usage: 'tuneloom remote list' });
      return listRemotes({ words: rest, options, context });
    case 'check':
      requireWords(rest, { most: 1, usage: 'tuneloom remote check [name]' });
      return checkRemotes({ words: rest, options, context });
    default:
      throw new UsageError({
        message: `\`${action}\` is nothing to do with remotes`,
        help: 'it is add, list or check',
      });
  }
}

function requireWords(
  words: readonly string[],
  { most, usage }: { readonly most: number; readonly usage: string },
): void {
  if (words.length > most)
    throw new UsageError({
      message: `unexpected argument \`${words[most]}\``,
      help: `write it as \`${usage}\``,
    });
}

async function listRemotes({ options, context }: CommandCall<RemoteOptions>): Promise<ExitCode> {
  const { remotes } = await usableSettings({ options, context });
  const rows = [...remotes].map(([name, { shown, origin }]) => ({
    name,
    url: shown.url,
    push: shown.push,
    from: originText(origin),
  }));
  const { print } = context.terminal;
  if (options.json) print(JSON.stringify({ remotes: rows }));
  else if (rows.length === 0) print('no remotes yet: `tuneloom remote add team s3://bucket/folder` adds one');
  else
    print(
      renderTable({
        head: ['name', 'url', 'push', 'from'],
        rows: rows.map(({ name, url, push, from }) => [name, url, push, from].map(safeLine)),
        indent: '',
      }),
    );
  return exitCode.success;
}

interface Checked {
  readonly name: string;
  readonly url: string;
  readonly reads: boolean;
  /** Absent if writing was not tried. */
  readonly writes?: boolean;
  readonly milliseconds?: number;
  readonly problem?: string;
  readonly help?: string;
}

async function checkRemotes({ words, options, context }: CommandCall<RemoteOptions>): Promise<ExitCode> {
  const settings = await usableSettings({ options, context });
  const names = words.length > 0 ? [chooseRemote(settings, words[0]).name] : [...settings.remotes.keys()];
  if (names.length === 0) chooseRemote(settings, undefined);
  const { terminal } = context;
  using interruption = Interruption.listen({ terminal, notice: terminal.complain });
  const { signal } = interruption;
  const checks: Checked[] = [];
  for (const name of names) {
    const checked = await checkRemote(name, { settings, context, signal, writes: options.write === true });
    if (signal.aborted) return interruption.code;
    checks.push(checked);
    if (!options.json) terminal.print(checkText(checked));
  }
  if (options.json) terminal.print(JSON.stringify({ remotes: checks }));
  return checks.every(({ problem }) => problem === undefined) ? exitCode.success : exitCode.stageFailed;
}

async function checkRemote(
  name: string,
  {
    settings,
    context,
    signal,
    writes,
  }: {
    readonly settings: Settings;
    readonly context: CommandContext;
    readonly signal: AbortSignal;
    readonly writes: boolean;
  },
): Promise<Checked> {
  const { setting } = chooseRemote(settings, name);
  const common = { name, url: setting.shown.url };
  let reads = false;
  try {
    const remote = await openNamedRemote(name, setting, context);
    const begun = performance.now();
    await remote.has([probe], { signal });
    reads = true;
    const milliseconds = performance.now() - begun;
    if (writes) await writeProbe(remote, signal);
    return { ...common, reads, milliseconds, ...(writes ? { writes } : {}) };
  } catch (error) {
    if (!(error instanceof RemoteFailure || error instanceof UsageError)) throw error;
    const { message: problem, help } = error;
    return { ...common, reads, ...(writes ? { writes: false } : {}), problem, ...(help && { help }) };
  }
}

/** A file that is the same for everyone. */
const probeBytes = Buffer.from('tuneloom can write here\n');
const probe: RemoteObject = { kind: 'blob', digest: createHash('sha256').update(probeBytes).digest('hex') };

/** Writes the probe and reads it back. */
async function writeProbe(remote: RemoteStore, signal: AbortSignal): Promise<void> {
  await remote.put(probe, { bytes: probeBytes }, { signal });
  const content = await remote.get(probe, { signal });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content?.bytes ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > probeBytes.length) break;
  }
  if (!Buffer.concat(chunks).equals(probeBytes))
    throw new RemoteFailure({
      kind: 'refused',
      message: 'what was written there is not what is read back',
      help: 'does something between here and there change files, or keep old answers?',
    });
}

function checkText({ name, url, writes, milliseconds, problem, help }: Checked): string {
  const place = `${name} (${safeLine(url)})`;
  if (problem !== undefined)
    return [
      `✖ ${place}: ${safeLine(problem)}`,
      ...(help === undefined ? [] : [`  help: ${safeLine(help)}`]),
    ].join('\n');
  const time = milliseconds === undefined ? '' : `, answers in ${formatDuration(milliseconds)}`;
  return `✔ ${place}: can be read${writes === true ? ' and written' : ''}${time}`;
}
