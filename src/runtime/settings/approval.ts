import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { schemeOf } from './scheme.ts';
import type { ExecutorSettings, FileSettings, RemoteSettings, WithheldSettings } from './settings.ts';

/** A project's settings file, and the folder of the person's own settings, where approvals are kept. */
interface ApprovalOf {
  /** Absolute. */
  readonly path: string;
  readonly personFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * What a project's file sets, without the remotes that could send something of the person's and without executors, which
 * start programs, until the person has approved the file as it is. Approvals are kept outside of the project, by path and
 * text, so that no project approves itself and an edit needs another one. A job approves by TUNELOOM_PROJECT_SETTINGS.
 */
export function withholdUnapproved(
  file: FileSettings,
  { path, personFolder, environment }: ApprovalOf,
): FileSettings & { readonly withheld?: WithheldSettings } {
  const remotes = [...file.remotes].filter(([, { shown }]) => !isHarmless(shown));
  const executors = [...file.executors];
  if (remotes.length + executors.length === 0) return file;
  const approval = approvalPath(personFolder, { path, text: file.text });
  if (environment.TUNELOOM_PROJECT_SETTINGS === 'approved' || existsSync(approval)) return file;
  return {
    ...file,
    remotes: new Map([...file.remotes].filter(([, { shown }]) => isHarmless(shown))),
    executors: new Map(),
    withheld: {
      path,
      approval,
      remotes: new Map(remotes.map(([name, { shown }]) => [name, fieldsText(shown)])),
      executors: new Map(executors.map(([name, { shown }]) => [name, fieldsText(shown)])),
    },
  };
}

/** Remembers that the person has approved a settings file as it was read. */
export async function approveSettings({
  path,
  approval,
}: Pick<WithheldSettings, 'path' | 'approval'>): Promise<void> {
  await mkdir(dirname(approval), { recursive: true, mode: 0o700 });
  await writeFile(approval, `${path}\n`);
}

/** Where the approval of a settings file with this text is kept. */
export function approvalPath(
  personFolder: string,
  { path, text }: { readonly path: string; readonly text: string },
): string {
  const hash = createHash('sha256').update(`${path}\0${text}`).digest('hex');
  return join(personFolder, 'approved-settings', hash);
}

/** A folder; or an address alone, without a secret and without results that are sent there. */
function isHarmless({ url, push, timeout: _, region, ...others }: RemoteSettings): boolean {
  if (JSON.stringify([url, region ?? '', others]).includes('${')) return false;
  const isPlain = Object.keys(others).length === 0 && /^[a-z0-9-]*$/.test(region ?? '');
  return isPlain && (push !== 'auto' || ['file', undefined].includes(schemeOf(url)));
}

const fieldsText = (fields: RemoteSettings | ExecutorSettings): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
