import { approveSettings, type Settings } from '../runtime/index.ts';
import type { CommandContext } from './commands/command-declaration.ts';
import { settingsOf } from './open-settings.ts';
import { labeledText } from './terminal/layout.ts';
import { safeLine } from './terminal/safe-text.ts';
import { canAsk, confirm } from './terminal/terminal.ts';

/** What a command would use of the settings: remotes, an executor, both. */
interface Use {
  readonly remotes: boolean;
  readonly executors: boolean;
  readonly yes?: boolean | undefined;
  readonly json: boolean | undefined;
  readonly context: CommandContext;
}

/**
 * Asks for the approval of project settings that a command would use and nobody has approved; whether it was given, so
 * that settings are to be read again. Without it, a warning names what is not used.
 */
export async function askForSettings({ withheld }: Settings, use: Use): Promise<boolean> {
  if (withheld === undefined) return false;
  const { yes = false, json, context } = use;
  const { terminal } = context;
  const isUsed = (use.remotes && withheld.remotes.size > 0) || (use.executors && withheld.executors.size > 0);
  if (!isUsed) return false;
  const named = [
    ...[...withheld.remotes].map(([name, text]) => ({ label: `remote ${name}`, text: safeLine(text) })),
    ...[...withheld.executors].map(([name, text]) => ({ label: `executor ${name}`, text: safeLine(text) })),
  ];
  const file = safeLine(withheld.path);
  if (!yes && canAsk() && !json) {
    terminal.print(`${file} can send your secrets or results elsewhere, or start programs:`);
    terminal.print(labeledText(named, { terminal }));
  }
  if (yes || (canAsk() && !json && (await confirm('Approve it?')))) {
    await approveSettings(withheld);
    return true;
  }
  terminal.complain(
    `warning: nobody has approved ${file}, so this of it is not used: ${named.map(({ label }) => label).join(', ')}\n  help: read it, then approve it with \`tuneloom run --yes\`, or in a job with TUNELOOM_PROJECT_SETTINGS=approved`,
  );
  return false;
}

/** The settings in force for a command that uses remotes; asks for an approval that they lack. */
export async function usableSettings(
  call: Parameters<typeof settingsOf>[0] & { readonly options: { readonly json?: boolean } },
): Promise<Settings> {
  const settings = await settingsOf(call);
  const use = { remotes: true, executors: false, json: call.options.json, context: call.context };
  return (await askForSettings(settings, use)) ? settingsOf(call) : settings;
}
