import type { ShellConfig } from '../../generated/shell-config.ts';
import { UserError } from '../../user-error.ts';

/** Shorter values, such as a device's number, are no secrets, and hiding them would hide half the log. */
const shortestSecret = 6;
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

/** Output is looked at line by line, so each line of a value counts alone. Longer ones first: one may begin another. */
const secretsIn = (values: readonly string[]): readonly string[] =>
  [...new Set(values.flatMap((value) => [value, ...value.split(/[\r\n]+/)]))]
    .filter((text) => text.length >= shortestSecret)
    .sort((a, b) => b.length - a.length);

function passedThrough(name: string, outside: NodeJS.ProcessEnv): string {
  const value = outside[name];
  if (value !== undefined) return value;
  throw new UserError({
    code: 'missing-variable',
    message: `the environment variable ${name}, which the command is to see, is not set`,
    help: `set it, or give it a value with \`environment: { ${name}: ... }\``,
  });
}
