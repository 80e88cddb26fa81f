import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ShellConfig } from '../../generated/shell-config.ts';
import type { ActionPort } from '../../runtime/stage/stage-action.ts';
import type { StageModule } from '../../runtime/stage/stage-definition.ts';
import { portCodecs } from '../ports/port-codecs.ts';
import { commandEnvironment } from './command-environment.ts';
import { withPaths } from './path-variables.ts';
import { runCommand } from './run-command.ts';

/** Gives the command an empty folder to work in, and the paths of its ports in variables; its output becomes notes. */
export const run: StageModule['run'] = async (action, host) => {
  const config = action.config as unknown as ShellConfig; // decode edge: the stage's own schema has accepted it
  const { variables, secrets } = commandEnvironment(config.environment, process.env);
  const paths = {
    ...pathsOf('IN', action.inputs),
    ...pathsOf('OUT', action.outputs),
    ...Object.fromEntries(Object.entries(config.files).map(([name, path]) => [`FILE_${name}`, path])),
  };
  const folder = await mkdtemp(join(tmpdir(), 'tuneloom-shell-'));
  try {
    await runCommand({
      command:
        typeof config.command === 'string'
          ? config.command
          : config.command.map((argument) => withPaths(argument, paths)),
      folder,
      variables: { ...variables, ...paths },
      secrets,
      signal: host.signal,
      onLine: (message) => host.report({ type: 'note', level: 'info', message }),
    });
    await checkScores(config, paths);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return {};
};

/** Scores are shown at the end of the run, by nobody who could still refuse them. Other outputs are read by stages. */
async function checkScores({ outputs }: ShellConfig, paths: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, type] of Object.entries(outputs)) {
    const path = paths[`OUT_${name}`];
    if (type === 'scores' && path !== undefined && existsSync(path))
      await portCodecs.scores.read(path).read();
  }
}

function pathsOf(prefix: string, ports: Readonly<Record<string, ActionPort>>): Record<string, string> {
  const named = Object.entries(ports).map(([name, port]): readonly [string, string] => {
    if ('path' in port) return [`${prefix}_${name}`, port.path];
    throw new Error(`port ${name} was given parts where it takes one content`);
  });
  return Object.fromEntries(named);
}
