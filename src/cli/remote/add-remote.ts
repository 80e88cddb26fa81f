import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { parseDocument } from 'yaml';
import { parseRemoteAddress } from '../../remote/index.ts';
import {
  approvalPath,
  approveSettings,
  personSettingsPath,
  projectFolder,
  projectSettingsPath,
  schemeOf,
} from '../../runtime/index.ts';
import type { CommandCall, CommandContext } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { settingsOf } from '../open-settings.ts';
import { safeLine } from '../terminal/safe-text.ts';

export interface AddOptions extends JsonOption {
  readonly push?: 'auto' | 'never';
  readonly person?: boolean;
  /** The name of an environment variable. */
  readonly tokenFrom?: string;
  readonly username?: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly profile?: string;
}

/** Writes a remote into the settings of the project or the person, and keeps the rest of the file as it is. */
export async function addRemote({ words, options, context }: CommandCall<AddOptions>): Promise<ExitCode> {
  const [name, url, extra] = words;
  if (name === undefined || url === undefined || extra !== undefined)
    throw new UsageError({
      message: 'a remote has a name and an address',
      help: 'write it as `tuneloom remote add team s3://bucket/folder`',
    });
  checkName(name);
  const settings = await settingsOf({ options: {}, context });
  const { workingDirectory, environment, terminal } = context;
  const parsed = parseRemoteAddress(url, { folder: workingDirectory });
  if ('problem' in parsed) throw new UsageError({ ...parsed.problem });
  const project = projectFolder({ pipelineFile: 'pipeline.yaml', workingDirectory });
  const path = options.person ? personSettingsPath(environment) : projectSettingsPath(project);
  const remote = {
    url: schemeOf(url) === undefined ? writtenPath(url, { project, context, isPerson: options.person }) : url,
    ...(options.push && { push: options.push }),
    ...(options.tokenFrom && { token: `\${env.${variableName(options.tokenFrom)}}` }),
    ...(options.username && { username: options.username }),
    ...(options.endpoint && { endpoint: options.endpoint }),
    ...(options.region && { region: options.region }),
    ...(options.profile && { profile: options.profile }),
  };
  const { replaced, text } = await writeRemote(path, { name, remote });
  // What is written by command needs no question; what somebody else wrote beside it does.
  if (!options.person && settings.withheld === undefined) {
    const approval = approvalPath(dirname(personSettingsPath(environment)), { path, text });
    await approveSettings({ path, approval });
  }
  if (parsed.address.scheme === 'file') await makeRemoteFolder(parsed.address.folder);
  const shown = relative(workingDirectory, path).startsWith('..') ? path : relative(workingDirectory, path);
  const hidden = !replaced && settings.remotes.has(name) && options.person === true;
  if (options.json) terminal.print(JSON.stringify({ name, ...remote, file: path, replaced }));
  else
    terminal.print(
      [
        `${replaced ? 'changed' : 'added'} ${name} in ${safeLine(shown)}`,
        ...(hidden ? [`note: the project has a remote \`${name}\` too, which comes first`] : []),
        `\`tuneloom remote check ${name}\` says whether it can be used.`,
      ].join('\n'),
    );
  return exitCode.success;
}

function checkName(name: string): void {
  if (/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) return;
  throw new UsageError({
    message: `\`${name}\` cannot be the name of a remote`,
    help: 'a name begins with a letter, and holds letters, digits, `-` and `_`',
  });
}

function variableName(text: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return text;
  throw new UsageError({
    // It may be the token itself.
    message: '--token-from takes the name of an environment variable, and not the token',
    help: 'as in `--token-from TEAM_TOKEN`',
  });
}

/** Relative to the project if it is inside, so that the file can be shared. */
function writtenPath(
  text: string,
  {
    project,
    context,
    isPerson,
  }: {
    readonly project: string;
    readonly context: Pick<CommandContext, 'workingDirectory'>;
    readonly isPerson: boolean | undefined;
  },
): string {
  const path = resolve(context.workingDirectory, text);
  const inside = relative(project, path);
  if (isPerson || isAbsolute(text) || inside === '' || inside.startsWith('..')) return path;
  return inside.split(sep).join('/');
}

/** The folder itself, not those above it: a drive that is not mounted must not become a folder of this disk. */
async function makeRemoteFolder(folder: string): Promise<void> {
  if (existsSync(folder)) return;
  if (!existsSync(dirname(folder)))
    throw new UsageError({
      message: `there is no folder ${dirname(folder)} to make the remote in`,
      help: 'is its drive mounted?',
    });
  await mkdir(folder);
}

/** Whether the file had a remote of this name, and its text now. */
async function writeRemote(
  path: string,
  { name, remote }: { readonly name: string; readonly remote: object },
): Promise<{ readonly replaced: boolean; readonly text: string }> {
  const text = existsSync(path) ? await readFile(path, 'utf8') : '';
  const document = parseDocument(text);
  const present = document.getIn(['remotes', name]);
  document.setIn(['remotes', name], document.createNode(remote));
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, document.toString(), { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return { replaced: present !== undefined, text: document.toString() };
}
