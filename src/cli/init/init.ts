import { existsSync, readFileSync } from 'node:fs';
import { realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { makeFolders } from '../../core/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { programVersion } from '../program-version.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { type Imported, importFrom, reportLines } from './from/init-from.ts';
import { importedFiles, type ProjectFile, projectFiles } from './project-files.ts';

interface InitOptions extends JsonOption {
  /** Another program's file, whose training the pipeline is made of. */
  readonly from?: string;
}

/** `tuneloom init`: writes a small pipeline that works, or that of another program's file, and overwrites nothing. */
export async function initCommand({ words, options, context }: CommandCall<InitOptions>): Promise<ExitCode> {
  const folder = resolve(context.workingDirectory, words[0] ?? '.');
  const program = dirname(dirname(context.stageProcess));
  const dependency = await dependencyOn(program, folder);
  const manifest = readObject(join(folder, 'package.json'));
  const { workingDirectory } = context;
  const imported =
    options.from === undefined ? undefined : importFrom(options.from, { folder, workingDirectory });
  const missing = manifest === undefined ? dependency : undefined;
  const files = missingFiles(
    folder,
    await (imported === undefined ? projectFiles(missing) : importedFiles(missing, imported.text)),
  );
  for (const { path, text } of files) {
    await makeFolders(dirname(join(folder, path)));
    await writeFile(join(folder, path), text, { flag: 'wx' });
  }
  const written = files.map(({ path }) => path);
  const shown = relative(context.workingDirectory, folder);
  const next = [
    ...(shown === '' ? [] : [`cd ${shellWord(shown)}`]),
    ...installCommand(manifest, dependency),
    imported === undefined ? 'npx tuneloom run' : 'npx tuneloom plan',
  ];
  const text = `Wrote ${written.join(', ')}${shown === '' ? '' : ` in ${shown}`}.\n\nNext:\n  ${next.join('\n  ')}`;
  const report = imported === undefined ? '' : `${reportOf(imported)}\n`;
  context.terminal.print(
    options.json
      ? JSON.stringify({
          folder,
          written,
          ...(imported && reportedFields(imported)),
        })
      : `${report}${text}`,
  );
  return exitCode.success;
}

const reportedFields = ({ program, taken, left, needless }: Imported) => ({ program, taken, left, needless });

/** What became of another program's fields. */
function reportOf(imported: Imported): string {
  const { program, taken, left } = imported;
  const lines = [
    `Read ${program}'s file: ${taken.length} fields taken over, ${left.length} not.`,
    ...reportLines(imported),
    '',
  ];
  return lines.map((line) => safeLine(line)).join('\n');
}

/**
 * How package.json in `folder` names this program: by version where npm fetched it from a registry, else by the path of
 * its tarball or checkout. The path is relative: what a user commits names no folder of this machine.
 */
async function dependencyOn(program: string, folder: string): Promise<string> {
  const { packages } = readObject(join(dirname(program), '.package-lock.json')) ?? {};
  const installed = Object(packages)['node_modules/tuneloom'];
  const origin = installed === undefined ? 'file:' : String(installed.resolved);
  if (!origin.startsWith('file:')) return `^${programVersion()}`;
  const tarball = resolve(dirname(dirname(program)), origin.slice('file:'.length));
  const place = installed !== undefined && existsSync(tarball) ? tarball : program;
  const path = relative(await realPathOf(folder), place);
  return `file:${path.split(sep).join('/')}`;
}

/** Resolves links, also above a folder that does not exist yet. */
const realPathOf = (path: string): Promise<string> =>
  realpath(path).catch(async () => join(await realPathOf(dirname(path)), basename(path)));

type Manifest = Readonly<Record<string, unknown>>;

function readObject(file: string): Manifest | undefined {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** None where the project has this program already: as a dependency, or because it is its checkout. */
function installCommand(manifest: Manifest | undefined, dependency: string): readonly string[] {
  if (manifest === undefined) return ['npm install'];
  const { name, dependencies, devDependencies } = manifest;
  const known = { ...Object(dependencies), ...Object(devDependencies), [String(name)]: name };
  const word = dependency.startsWith('file:') ? dependency : `tuneloom@${dependency}`;
  return 'tuneloom' in known ? [] : [`npm install --save-dev --ignore-scripts ${shellWord(word)}`];
}

/** A word as a POSIX shell takes it. */
const shellWord = (text: string): string =>
  /^[\w@%+=:,./^-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

function missingFiles(folder: string, files: readonly ProjectFile[]): readonly ProjectFile[] {
  const present = files.filter(({ path }) => existsSync(join(folder, path)));
  const inTheWay = present.filter(({ optional }) => !optional).map(({ path }) => path);
  if (inTheWay.length > 0) {
    throw new UsageError({
      message: `${folder} has ${inTheWay.join(' and ')} already`,
      help: 'nothing was written; name another folder, as in `tuneloom init my-project`',
    });
  }
  return files.filter((file) => !present.includes(file));
}
