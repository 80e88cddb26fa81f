import { resolve } from 'node:path';
import { UserError } from '../../user-error.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { ExportOptions } from '../commands/export-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { UsageError } from '../usage-error.ts';
import { openExportSource } from './open-export-source.ts';
import { replaceFolder } from './replace-folder.ts';
import { writeExport } from './write-export.ts';

/** `tuneloom export`: writes a model as a folder that other programs load. */
export async function execute({ words, options, context }: CommandCall<ExportOptions>): Promise<ExitCode> {
  const { terminal, workingDirectory } = context;
  const { to, force = false } = options;
  if (to === undefined)
    throw new UsageError({ message: '`--to` is missing', help: 'say where to write it: --to my-model' });
  const source = await openExportSource({ words, options, context });
  if (source === undefined) return exitCode.badUsage;
  await using opened = source;
  const destination = resolve(workingDirectory, to);
  const files = await replaceFolder({ destination, shown: to, force }, (folder) =>
    writeExport(folder, { source: opened, options }),
  ).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UsageError({ message: error.message, help: error.help });
  });
  terminal.print(
    options.json
      ? JSON.stringify({ to: destination, format: options.format, dtype: options.dtype, files })
      : [`wrote ${to}`, ...files.map((file) => `  ${file}`)].join('\n'),
  );
  return exitCode.success;
}
