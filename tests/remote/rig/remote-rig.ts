import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type CliRig, openCliRig } from '../../cli/rig.ts';
import { type Files, type LoopbackHub, openLoopbackHub, type Repository } from './loopback-hub.ts';

const tuneloomScript = fileURLToPath(new URL('../../../dist/tuneloom.js', import.meta.url));
const base = fileURLToPath(new URL('../../../pipelines/quickstart/base', import.meta.url));

export const token = 'hf_testTOKENtest1234567890';
export const firstCommit = '1'.repeat(40);
export const secondCommit = '2'.repeat(40);

/** The model of the quickstart, whose 1 MB of weights the hub stores outside git. */
export async function modelFiles(): Promise<Files> {
  const names = await readdir(base);
  const files = await Promise.all(
    names.map(async (name) => [name, await readFile(join(base, name))] as const),
  );
  return Object.fromEntries(files);
}

export const rowsOf = (...texts: readonly string[]): Buffer =>
  Buffer.from(texts.map((text, index) => `${JSON.stringify({ id: `r${index}`, text })}\n`).join(''));

/** A project whose sources are on its own local hub. */
export interface RemoteRig extends AsyncDisposable {
  readonly folder: string;
  readonly hub: LoopbackHub;
  readonly write: CliRig['write'];
  readonly start: (
    words: readonly string[],
    environment?: Record<string, string>,
  ) => ReturnType<typeof execa>;
  readonly tuneloom: (...words: string[]) => Promise<Printed>;
  readonly withEnvironment: (environment: Record<string, string>, ...words: string[]) => Promise<Printed>;
  readonly lock: () => Promise<string>;
}

export interface Printed {
  readonly exitCode: number | undefined;
  readonly all: string;
}

export async function openRemoteRig(
  repositories: Record<string, Repository>,
  stages: string,
): Promise<RemoteRig> {
  const rig = await openCliRig({ 'package.json': '{}', 'p.yaml': `name: p\nstages:\n${stages}` });
  const hub = await openLoopbackHub(repositories, { token });
  await mkdir(join(rig.folder, 'home'));
  const start = (words: readonly string[], environment: Record<string, string> = {}) =>
    execa(process.execPath, [tuneloomScript, ...words], {
      cwd: rig.folder,
      env: {
        PATH: process.env.PATH,
        HOME: join(rig.folder, 'home'),
        NO_COLOR: '1',
        HF_ENDPOINT: hub.endpoint,
        TUNELOOM_RETRY_MILLISECONDS: '1',
        ...environment,
      },
      extendEnv: false,
      reject: false,
      all: true,
    });
  const run = async (words: readonly string[], environment?: Record<string, string>): Promise<Printed> => {
    const { exitCode, all } = await start(words, environment);
    return { exitCode, all: steady(String(all), hub.endpoint) };
  };
  return {
    folder: rig.folder,
    hub,
    write: rig.write,
    start: start as RemoteRig['start'],
    tuneloom: (...words) => run(words),
    withEnvironment: (environment, ...words) => run(words, environment),
    lock: () => readFile(join(rig.folder, 'p.lock.yaml'), 'utf8'),
    [Symbol.asyncDispose]: async () => {
      await hub[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

/** Every file below a folder, with what it holds, links not followed. */
export async function everything(folder: string): Promise<readonly (readonly [string, string])[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(paths.map(async (path) => [path, await readFile(path, 'latin1')] as const));
}

const steady = (text: string, endpoint: string): string =>
  text.replaceAll(endpoint, '<hub>').replaceAll(/ in (\d+ ms|\d+\.\d s)$/gm, ' in <time>');
