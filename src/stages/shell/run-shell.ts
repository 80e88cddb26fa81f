import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { newTemporaryFolder, UserError } from '../../core/index.ts';
import type { ShellConfig } from '../../generated/shell-config.ts';
import { type ActionPort, type StageModule, secretsIn } from '../../runtime/index.ts';
import { portCodecs } from '../ports/port-codecs.ts';
import { withPaths } from './path-variables.ts';
import { runCommand } from './run-command.ts';

/** Runs the command in an empty folder, with the paths of its ports in variables; its output becomes notes. */
export const run: StageModule['run'] = async (action, host) => {
  const config = action.config as unknown as ShellConfig; // decode edge: the stage's schema has accepted it
  const { variables, secrets } = commandEnvironment(config.environment, process.env);
  const paths = {
    ...pathsOf('IN', action.inputs),
    ...pathsOf('OUT', action.outputs),
    ...Object.fromEntries(Object.entries(config.files).map(([name, path]) => [`FILE_${name}`, path])),
  };
  const folder = await newTemporaryFolder('tuneloom-shell-');
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
    await checkOutputs(config, paths);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return {};
};

/** These are shown at the end of the run, when it is too late to refuse them. Stages check the other outputs. */
async function checkOutputs(
  { outputs }: ShellConfig,
  paths: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, type] of Object.entries(outputs)) {
    const path = paths[`OUT_${name}`];
    if (path === undefined || !existsSync(path)) continue;
    try {
      if (type === 'scores') await portCodecs.scores.read(path).read();
      if (type !== 'responses' && type !== 'history') continue;
      for await (const _ of portCodecs[type].read(path));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { code, help } = error;
      // The file is gone when the message is read.
      const message = error.message.replaceAll(path, `$OUT_${name}`);
      throw new UserError({ code, message, ...(help === undefined ? {} : { help }), cause: error });
    }
  }
}

function pathsOf(prefix: string, ports: Readonly<Record<string, ActionPort>>): Record<string, string> {
  const named = Object.entries(ports).map(([name, port]): readonly [string, string] => {
    if ('path' in port) return [`${prefix}_${name}`, port.path];
    throw new Error(`Port ${name} takes one content, and was given parts`);
  });
  return Object.fromEntries(named);
}

const always = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

/** Python writes no compiled files beside a program: one of the same size and second as an edit would hide the edit. */
const settings = { PYTHONDONTWRITEBYTECODE: '1' };

interface CommandEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** Values that are passed through by name and may be secrets. */
  readonly secrets: readonly string[];
}

/** The environment that a command sees: what it needs to run at all, and what the configuration names. */
function commandEnvironment(
  declared: ShellConfig['environment'],
  outside: NodeJS.ProcessEnv,
): CommandEnvironment {
  const given = always.flatMap((name) =>
    outside[name] === undefined ? [] : [[name, outside[name]] as const],
  );
  if (!Array.isArray(declared))
    return { variables: { ...settings, ...Object.fromEntries(given), ...declared }, secrets: [] };
  const passed = declared.map((name): readonly [string, string] => [name, passedThrough(name, outside)]);
  return {
    variables: { ...settings, ...Object.fromEntries([...given, ...passed]) },
    secrets: secretsIn(passed.map(([, value]) => value)),
  };
}

function passedThrough(name: string, outside: NodeJS.ProcessEnv): string {
  const value = outside[name];
  if (value !== undefined) return value;
  throw new UserError({
    code: 'missing-variable',
    message: `the environment variable ${name}, which the command needs, is not set`,
    help: `set it, or give it a value with \`environment: { ${name}: ... }\``,
  });
}
