import type { ShellConfig } from '../../generated/shell-config.ts';
import type { ConfigProblem, InputPort, OutputPort, PortType } from '../../runtime/index.ts';
import { declareStage } from '../declare-stage.ts';
import { pathVariablesIn } from './path-variables.ts';

const portTypes: readonly PortType[] = [
  'file',
  'records',
  'tokens',
  'batches',
  'model',
  'tokenizer',
  'history',
  'responses',
  'scores',
];

/** Runs a command of the user's. Its configuration declares its ports, which are put in alphabetical order. */
export const shellStage = declareStage<ShellConfig>({
  name: 'shell',
  version: 1,
  ports: ({ inputs, outputs }) => ({
    inputs: portsOf(inputs, inputPort),
    outputs: portsOf(outputs, (type): OutputPort => ({ type })),
  }),
  check: checkShell,
  process: 'shared',
  environment: ({ environment }) => (Array.isArray(environment) ? environment : []),
  device: 'none',
  runsUserCode: true,
  load: () => import('./run-shell.ts'),
});

const inputPort = (type: PortType): InputPort => ({
  accepts: type === 'file' ? portTypes : [type],
  required: true,
  parts: 'one',
});

/** Sorted, because the order of a map in the YAML means nothing. */
function portsOf<Port>(types: Readonly<Record<string, PortType>>, portOf: (type: PortType) => Port) {
  const sorted = Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, type]) => [name, portOf(type)]));
}

/** Finds path variables in the command that no port or file declares. */
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
