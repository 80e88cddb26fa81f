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
  check: (config) => [...checkShell(config), ...checkTexts(config)],
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

/** Linux takes no longer argument or variable. */
const mostBytes = 128 * 1024 - 1;

/** Refuses what no system can start: an empty program, a null byte, a text that is too long. */
function checkTexts({ command, environment }: ShellConfig): readonly ConfigProblem[] {
  const isList = Array.isArray(command);
  const texts = [
    ...[command].flat().map((text, index) => [isList ? `/command/${index}` : '/command', text] as const),
    ...(Array.isArray(environment)
      ? []
      : Object.entries(environment).map(([name, text]) => [`/environment/${name}`, text] as const)),
  ];
  const faulty = texts.flatMap(([pointer, text]): readonly ConfigProblem[] => {
    if (text.includes('\0'))
      return [{ pointer, code: 'null-byte', message: 'a command and its variables cannot hold a null byte' }];
    if (Buffer.byteLength(text) <= mostBytes) return [];
    const message = `a text of ${Buffer.byteLength(text)} bytes is longer than a system can pass to a program`;
    return [{ pointer, code: 'too-long', message, help: 'put it into a file, and name that under `files`' }];
  });
  const empty: ConfigProblem = {
    pointer: '/command/0',
    code: 'no-program',
    message: 'the first word of a command names the program, and it is empty',
  };
  return isList && command[0] === '' ? [...faulty, empty] : faulty;
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
