import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { UsageError } from '../usage-error.ts';
import { type ProjectFile, projectFiles } from './project-files.ts';

/** `tuneloom init`: writes a small pipeline that works, and overwrites nothing. */
export async function execute({ words, options, context }: CommandCall<JsonOption>): Promise<ExitCode> {
  const folder = resolve(context.workingDirectory, words[0] ?? '.');
  const files = missingFiles(folder, await projectFiles());
  for (const { path, text } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { flag: 'wx' });
  }
  const written = files.map(({ path }) => path);
  const shown = relative(context.workingDirectory, folder);
  context.terminal.print(
    options.json ? JSON.stringify({ folder, written }) : nextSteps({ folder: shown, written }),
  );
  return exitCode.success;
}

function missingFiles(folder: string, files: readonly ProjectFile[]): readonly ProjectFile[] {
  const there = files.filter(({ path }) => existsSync(join(folder, path)));
  const inTheWay = there.filter(({ optional }) => !optional).map(({ path }) => path);
  if (inTheWay.length > 0) {
    throw new UsageError({
      message: `${folder} has ${inTheWay.join(' and ')} already`,
      help: 'nothing was written; name another folder, as in `tuneloom init my-project`',
    });
  }
  return files.filter((file) => !there.includes(file));
}

function nextSteps({ folder, written }: { folder: string; written: readonly string[] }): string {
  return [
    `Wrote ${written.join(', ')}${folder === '' ? '' : ` in ${folder}`}.`,
    '',
    'Next:',
    ...(folder === '' ? [] : [`  cd ${folder}`]),
    '  tuneloom run',
  ].join('\n');
}
