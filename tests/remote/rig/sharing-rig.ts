import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { dataProject } from '../../cli/rig.ts';

const tuneloomScript = fileURLToPath(new URL('../../../dist/tuneloom.js', import.meta.url));

/** A person with a home and a project, whose remote is named `team`. */
export interface Person extends AsyncDisposable {
  readonly folder: string;
  /** Runs `tuneloom` to its end; times and temporary folders in its output are replaced. */
  readonly tuneloom: (...words: string[]) => Promise<Printed>;
  readonly withEnvironment: (environment: Record<string, string>, ...words: string[]) => Promise<Printed>;
  readonly start: (
    words: readonly string[],
    environment?: Record<string, string>,
  ) => ReturnType<typeof startCommand>;
  readonly publicKey: () => Promise<string>;
  readonly write: (path: string, text: string) => Promise<void>;
  readonly read: (path: string) => Promise<string>;
}

export interface Printed {
  readonly exitCode: number | undefined;
  readonly all: string;
}

/** `settings`: of the project. `of`: the person whose project is copied, as git would, without results. */
export async function openPerson({
  settings,
  of,
  environment = {},
}: {
  readonly settings: string;
  readonly of?: Person;
  readonly environment?: Record<string, string>;
}): Promise<Person> {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'tuneloom-person-')));
  const folder = join(home, 'project');
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  if (of === undefined) for (const [path, text] of Object.entries(dataProject)) await write(path, text);
  else
    await cp(of.folder, folder, { recursive: true, filter: (path) => !/\/(artifacts|remote)$/.test(path) });
  await write('.tuneloom/settings.yaml', settings);
  const start: Person['start'] = (words, more = {}) =>
    startCommand(words, { folder, environment: { HOME: home, ...environment, ...more } });
  const run = async (words: readonly string[], more?: Record<string, string>): Promise<Printed> => {
    const { exitCode, all } = await start(words, more);
    return { exitCode, all: steady(String(all), home) };
  };
  return {
    folder,
    write,
    read: (path) => readFile(join(folder, path), 'utf8'),
    start,
    tuneloom: (...words) => run(words),
    withEnvironment: (more, ...words) => run(words, more),
    publicKey: async () => JSON.parse((await run(['key', '--json'])).all).public_key,
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}

function startCommand(
  words: readonly string[],
  { folder, environment }: { readonly folder: string; readonly environment: Record<string, string> },
) {
  return execa(process.execPath, [tuneloomScript, ...words], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      NO_COLOR: '1',
      TUNELOOM_PROJECT_SETTINGS: 'approved',
      TUNELOOM_RETRY_MILLISECONDS: '1',
      ...environment,
    },
    extendEnv: false,
    reject: false,
    all: true,
  });
}

const steady = (text: string, home: string): string =>
  text
    .replaceAll(home, '<home>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<host>')
    .replaceAll(/ in (\d+ ms|\d+\.\d s)$/gm, ' in <time>');
