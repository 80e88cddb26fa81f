import { existsSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { execa } from 'execa';
import { UserError } from '../../core/index.ts';

/** Where programs are looked up, in and outside of the sandbox. */
export const programFolders = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'] as const;

/** The environment of every program that is started outside of the sandbox. */
export const plainEnvironment = { PATH: programFolders.join(':') } as const;

/** A Python interpreter, and what a sandbox has to show of its installation. */
export interface Interpreter {
  readonly path: string;
  /** Files and folders outside of the system's folders. */
  readonly files: readonly string[];
}

/** Finds an interpreter by its name or path. Throws a UserError if it is missing, or if its installation holds more than Python. */
export async function findInterpreter(python: string): Promise<Interpreter> {
  const path = python.includes('/') ? python : programNamed(python);
  if (path === undefined || !isAbsolute(path) || !existsSync(path) || !statSync(path).isFile())
    throw noInterpreter(
      python.includes('/') && !isAbsolute(python)
        ? `the interpreter \`${python}\` is a relative path`
        : `there is no interpreter \`${python}\``,
    );
  const file = realpathSync(path);
  if (path.startsWith('/usr/') && file.startsWith('/usr/')) return { path, files: [] };
  if (!python.includes('/') && file.startsWith('/usr/')) return { path: file, files: [] };
  const folders = await installationOf(path);
  const files = folders.flatMap(partsOf);
  const isShown = (name: string) => name.startsWith('/usr/') || files.some((part) => isWithin(part, name));
  if (isShown(path)) return { path, files };
  return { path: file, files: isShown(file) ? files : [...files, file] };
}

/** The path of a program in the system's folders. */
export const programNamed = (name: string): string | undefined =>
  programFolders.map((folder) => join(folder, name)).find((path) => existsSync(path));

const noInterpreter = (message: string, help?: string) =>
  new UserError({
    code: 'no-interpreter',
    message,
    help:
      help ??
      `\`python\` is the absolute path of a Python 3, or its name in ${programFolders.slice(0, 3).join(', ')}`,
  });

const question = `
import json, sys
print(json.dumps(sorted({sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix})))
`;

/** The folders where Python says that it is installed, of a virtual environment also those of its base; also as links name them. */
async function installationOf(path: string): Promise<readonly string[]> {
  const { stdout, failed } = await execa(path, ['-I', '-c', question], {
    env: plainEnvironment,
    extendEnv: false,
    reject: false,
    timeout: 30_000,
    killSignal: 'SIGKILL',
    stdin: 'ignore',
    maxBuffer: 100_000,
  });
  const folders = failed ? undefined : foldersIn(stdout);
  if (folders === undefined) throw noInterpreter(`\`${path}\` does not answer as Python 3`);
  const named = folders.flatMap((folder) => [folder, realpathSync(folder)]);
  return [...new Set(named)].filter((folder) => folder !== '/usr' && !folder.startsWith('/usr/'));
}

function foldersIn(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((one) => typeof one === 'string' && existsSync(one))
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

/** What Python needs of its installation; the other content of the folder stays hidden. */
function partsOf(folder: string): readonly string[] {
  const home = realpathSync(existsSync(homedir()) ? homedir() : '/');
  if (isWithin(realpathSync(folder), home) || dirname(folder) === '/home')
    throw noInterpreter(
      `the interpreter is installed in ${folder}, which holds more than Python`,
      'programs may see the whole installation of their interpreter: use one in a folder of its own, for example a virtual environment',
    );
  return ['bin', 'lib', 'lib64', 'pyvenv.cfg']
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path));
}

const isWithin = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(join(folder, '/'));
