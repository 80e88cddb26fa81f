import type { ShellConfig } from '../../generated/shell-config.ts';
import { secretsIn } from '../../runtime/stage/hide-secrets.ts';
import { UserError } from '../../user-error.ts';

const always = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

export interface CommandEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** Values that came from outside by name and may be secrets. */
  readonly secrets: readonly string[];
}

/** What a command sees of the environment: what it needs to run at all, and what the configuration names. */
export function commandEnvironment(
  declared: ShellConfig['environment'],
  outside: NodeJS.ProcessEnv,
): CommandEnvironment {
  const given = always.flatMap((name) =>
    outside[name] === undefined ? [] : [[name, outside[name]] as const],
  );
  if (!Array.isArray(declared))
    return { variables: { ...Object.fromEntries(given), ...declared }, secrets: [] };
  const passed = declared.map((name): readonly [string, string] => [name, passedThrough(name, outside)]);
  return {
    variables: Object.fromEntries([...given, ...passed]),
    secrets: secretsIn(passed.map(([, value]) => value)),
  };
}

function passedThrough(name: string, outside: NodeJS.ProcessEnv): string {
  const value = outside[name];
  if (value !== undefined) return value;
  throw new UserError({
    code: 'missing-variable',
    message: `the environment variable ${name}, which the command is to see, is not set`,
    help: `set it, or give it a value with \`environment: { ${name}: ... }\``,
  });
}
