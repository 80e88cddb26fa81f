import type { ShellConfig } from '../../generated/shell-config.ts';
import type { ConfigProblem } from '../../runtime/stage/stage-definition.ts';
import { pathVariablesIn } from './path-variables.ts';

/** Finds variables for paths that the command uses and no port or file declares. */
export function checkShell({ command, inputs, outputs, files }: ShellConfig): readonly ConfigProblem[] {
  const named = (prefix: string, names: object) => Object.keys(names).map((name) => `${prefix}_${name}`);
  const known = [...named('IN', inputs), ...named('OUT', outputs), ...named('FILE', files)];
  const used = new Set([command].flat().flatMap(pathVariablesIn));
  return [...used]
    .filter((name) => !known.includes(name))
    .map((name) => ({
      pointer: '/command',
      code: 'unknown-variable',
      message: `the command uses \`$${name}\`, which the stage does not declare`,
      help: `there is ${known.map((other) => `$${other}`).join(', ')}`,
    }));
}
