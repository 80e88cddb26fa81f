import { existsSync } from 'node:fs';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { namedFile } from '../open-pipeline.ts';
import { settingsOf } from '../open-settings.ts';
import { programVersion } from '../program-version.ts';
import { labeledText } from '../terminal/layout.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { backendFindings } from './backends.ts';
import { type Finding, gpuFinding, machineFindings, sandboxFinding, storeFinding } from './machine.ts';
import { settingsFindings, settingsJson } from './settings.ts';

/** `tuneloom doctor`: shows what this machine offers and which settings are in force, without the network. */
export async function doctorCommand({
  words,
  options,
  context,
}: CommandCall<StoreOptions>): Promise<ExitCode> {
  const { file } = namedFile({ words, context, mostNames: 0 });
  const settings = await settingsOf({ file, options, context });
  const root = settings.store.value;
  const findings = [
    ...machineFindings(),
    gpuFinding(),
    ...(await backendFindings()),
    await sandboxFinding(),
    await storeFinding(root),
    ...settingsFindings(settings),
  ];
  const { terminal } = context;
  const next = nextStep(findings, existsSync(root));
  if (options.json)
    terminal.print(
      JSON.stringify({ tuneloom: programVersion(), findings, settings: settingsJson(settings), next }),
    );
  else terminal.print(`tuneloom ${programVersion()}\n${findingsText(findings, terminal)}\n\n${next}`);
  return exitCode.success;
}

/** What to do now, in one line. */
function nextStep(findings: readonly Finding[], hasStore: boolean): string {
  const bad = findings.filter(({ state }) => state === 'bad').map(({ subject }) => subject);
  if (bad.length > 0) return `Next: fix ${bad.join(', ')} (✖ above).`;
  return hasStore
    ? 'Next: nothing needs fixing; continue with `tuneloom run`.'
    : 'Next: nothing needs fixing; `tuneloom init` writes a small pipeline to start from.';
}

function findingsText(findings: readonly Finding[], terminal: Terminal): string {
  const { green, yellow, red } = terminal.colors;
  const marks = { good: green('✔'), absent: yellow('–'), bad: red('✖') };
  const lines = findings.map(({ subject, state, found, help }) => ({
    label: subject,
    text: `${marks[state]} ${safeText(found)}${help ? `\n${help}` : ''}`,
  }));
  return labeledText(lines, { terminal });
}
