import { type VerifyProgress, verifyStore } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { namedFile } from '../open-pipeline.ts';
import { storeOf } from '../open-settings.ts';
import { counted, formatBytes, formatCount } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** `tuneloom verify`: reads the whole store again and lists what is damaged. */
export async function verifyCommand({
  words,
  options,
  context,
}: CommandCall<StoreOptions>): Promise<ExitCode> {
  const { file } = namedFile({ words, context, mostNames: 0 });
  const store = await storeOf({ file, options, context });
  const report = await verifyStore(store, options.json ? () => {} : sayProgress(context.terminal));
  const sound = report.problems.length === 0;
  if (options.json) {
    context.terminal.print(JSON.stringify({ store: store.root, sound, ...report }));
  } else {
    const { blobs, bytes, records, remote, runs, problems } = report;
    const content = `${counted(blobs, 'file')} (${formatBytes(bytes)}), ${counted(records, 'record')}${remote === 0 ? '' : ` (${formatCount(remote)} with files that only a remote has)`}, ${counted(runs, 'run')}`;
    for (const { path, message } of problems)
      context.terminal.complain(`${safeLine(path)}: ${safeLine(message)}`);
    context.terminal.print(
      `${store.root}: ${content}: ${sound ? 'all sound' : counted(problems.length, 'problem')}`,
    );
    if (!sound) context.terminal.print('The next run that needs what is damaged or lost computes it again.');
  }
  return sound ? exitCode.success : exitCode.integrity;
}

const betweenLines = 2000;

/** A line on standard error every few seconds; none if all is done sooner. */
function sayProgress(terminal: Terminal): (progress: VerifyProgress) => void {
  let said = performance.now();
  return ({ done, total, bytes }) => {
    if (performance.now() - said < betweenLines) return;
    said = performance.now();
    terminal.complain(`read ${formatCount(done)} of ${counted(total, 'file')} (${formatBytes(bytes)})`);
  };
}
