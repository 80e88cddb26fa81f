import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve, sep } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type {
  AddressCheck,
  FileSettings,
  RemoteSettings,
  Setting,
  SettingOrigin,
  Settings,
} from './settings.ts';

export interface SettingsRequest {
  /** Relative to the working directory, or absolute; it need not exist. */
  readonly pipelineFile: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the command line. */
  readonly options: { readonly store?: string | undefined; readonly executor?: string | undefined };
  readonly checkAddress: AddressCheck;
}

/**
 * The settings in force. Command-line options win over environment variables, those over the project's file, and that over
 * the person's. Maps are joined by name, an entry whole from one file, so that no file sends another's secret to an address
 * of its own; lists are joined. Reads no file and loads no parser where there is no settings file.
 */
export async function findSettings(
  request: SettingsRequest,
): Promise<Result<Settings, readonly Diagnostic[]>> {
  const { workingDirectory, environment, checkAddress } = request;
  const project = projectFolder(request);
  const files = [
    { path: projectSettingsPath(project), base: project },
    { path: personSettingsPath(environment), base: undefined },
  ].filter(({ path }) => existsSync(path));
  const read: FileSettings[] = [];
  if (files.length > 0) {
    const { readSettingsFile } = await import('./read-settings-file.ts');
    const results = await Promise.all(
      files.map((file) => readSettingsFile({ ...file, workingDirectory, environment, checkAddress })),
    );
    const problems = results.flatMap(({ diagnostics }) => diagnostics);
    if (problems.length > 0) return err(problems);
    const { withholdUnapproved } = await import('./approval.ts');
    const personFolder = dirname(personSettingsPath(environment));
    read.push(
      ...results.map(({ value }, index) => {
        const { path = '', base } = files[index] ?? {};
        return base === undefined ? value : withholdUnapproved(value, { path, personFolder, environment });
      }),
    );
  }
  return ok(merge(read, { ...request, project }));
}

function merge(
  files: readonly FileSettings[],
  { options, environment, workingDirectory, project }: SettingsRequest & { readonly project: string },
): Settings {
  const absolute = (path: string): string => resolve(workingDirectory, path);
  const { TUNELOOM_STORE, TUNELOOM_READONLY_STORES, TUNELOOM_EXECUTOR, TUNELOOM_REMOTES, TUNELOOM_PUSH } =
    environment;
  const store =
    chosen(
      options.store && absolute(options.store),
      option('--store'),
      TUNELOOM_STORE && absolute(TUNELOOM_STORE),
      variable('TUNELOOM_STORE'),
    ) ??
    files.find((file) => file.store !== undefined)?.store ??
    plain(join(project, 'artifacts'), { kind: 'default' });
  const added = (TUNELOOM_READONLY_STORES ?? '').split(delimiter).filter((path) => path !== '');
  const readonlyStores = [
    ...added.map((path) => plain(absolute(path), variable('TUNELOOM_READONLY_STORES'))),
    ...files.flatMap((file) => file.readonlyStores),
  ];
  const remotes = firstByName(files.map((file) => file.remotes));
  const executor =
    chosen(options.executor, option('--executor'), TUNELOOM_EXECUTOR, variable('TUNELOOM_EXECUTOR')) ??
    files.find((file) => file.executor !== undefined)?.executor;
  const withheld = files.find((file) => file.withheld !== undefined)?.withheld;
  return {
    ...(withheld && { withheld }),
    store,
    readonlyStores: unique(readonlyStores).filter(({ value }) => value !== store.value),
    remotes: TUNELOOM_REMOTES === 'off' ? new Map() : withPush(remotes, TUNELOOM_PUSH),
    trustedKeys: unique(files.flatMap((file) => file.trustedKeys)),
    executors: firstByName(files.map((file) => file.executors)),
    executor,
    secrets: [...new Set(files.flatMap(({ secrets }) => secrets))],
  };
}

/** `option` where it is set, else `variable`; an empty one counts as unset. */
const chosen = (
  given: string | undefined,
  from: SettingOrigin,
  inEnvironment: string | undefined,
  named: SettingOrigin,
): Setting<string> | undefined => {
  if (given) return plain(given, from);
  return inEnvironment ? plain(inEnvironment, named) : undefined;
};

const option = (name: string): SettingOrigin => ({ kind: 'option', name });
const variable = (name: string): SettingOrigin => ({ kind: 'variable', name });
const plain = <Value>(value: Value, origin: SettingOrigin): Setting<Value> => ({
  value,
  shown: value,
  origin,
  unset: [],
});

/** Each value once, where it came first. */
const unique = (settings: readonly Setting<string>[]): readonly Setting<string>[] =>
  settings.filter(({ value }, index) => settings.findIndex((other) => other.value === value) === index);

/** The entries of all maps; of several with one name the first. */
const firstByName = <Value>(maps: readonly ReadonlyMap<string, Value>[]): ReadonlyMap<string, Value> => {
  const merged = new Map<string, Value>();
  for (const map of maps) for (const [name, value] of map) if (!merged.has(name)) merged.set(name, value);
  return merged;
};

/** TUNELOOM_PUSH decides for all remotes, so that a job can be kept from writing, or be the one that writes. */
function withPush(remotes: Settings['remotes'], push: string | undefined): Settings['remotes'] {
  if (push !== 'auto' && push !== 'never') return remotes;
  const change = (remote: RemoteSettings): RemoteSettings => ({ ...remote, push });
  return new Map(
    [...remotes].map(([name, remote]) => [
      name,
      { ...remote, value: change(remote.value), shown: change(remote.shown) },
    ]),
  );
}

/**
 * The folder of the project that a pipeline belongs to: the nearest with a package.json or .git above it (above
 * node_modules if the pipeline is inside), else the pipeline's own.
 */
export function projectFolder({
  pipelineFile,
  workingDirectory,
}: Pick<SettingsRequest, 'pipelineFile' | 'workingDirectory'>): string {
  const beside = dirname(resolve(workingDirectory, pipelineFile));
  // The next installation replaces a package in node_modules, so results go to the project that installed it.
  const [project = beside] = beside.split(`${sep}node_modules${sep}`);
  return projectAbove(project) ?? beside;
}

function projectAbove(folder: string): string | undefined {
  if (existsSync(join(folder, 'package.json')) || existsSync(join(folder, '.git'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : projectAbove(parent);
}

export const projectSettingsPath = (project: string): string => join(project, '.tuneloom', 'settings.yaml');

/** `$XDG_CONFIG_HOME/tuneloom/settings.yaml`, by default in `~/.config`. */
export const personSettingsPath = ({ XDG_CONFIG_HOME, HOME }: SettingsRequest['environment']): string =>
  join(XDG_CONFIG_HOME || join(HOME || homedir(), '.config'), 'tuneloom', 'settings.yaml');
