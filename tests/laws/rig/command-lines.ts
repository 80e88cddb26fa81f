import { pipelineCommands } from '../../../src/cli/commands/pipeline-commands.ts';
import { projectCommands } from '../../../src/cli/commands/project-commands.ts';
import { resultCommands } from '../../../src/cli/commands/result-commands.ts';

type Random = () => number;

const pick = <T>(random: Random, list: readonly T[]): T => {
  const item = list[Math.floor(random() * list.length)];
  if (item === undefined) throw new Error('an empty list');
  return item;
};

/** Commands that download, that measure the machine for a second each time, or that serve until they are stopped. */
const leftOut = ['setup', 'doctor', 'ui', 'worker'];
const commands = [pipelineCommands, resultCommands, projectCommands]
  .flatMap((group) => group.commands)
  .filter(({ name }) => !leftOut.includes(name))
  // A watching run does not end.
  .map((command) => ({ ...command, options: command.options.filter(({ long }) => long !== '--watch') }));

/** Relative to the project: a command line must not write anywhere else. */
const paths = [
  ...['p.yaml', 'bad.yaml', 'rows.jsonl', '.', '', './', 'missing', 'missing/deep/p.yaml', 'p.yaml/x'],
  ...['no-read', 'loop', 'folder', 'folder/', './p.yaml', 'p.yaml:3', 'ünï/ö.yaml', 'a b', '-', '--', '*'],
  ...[
    'made',
    'artifacts',
    'artifacts/runs',
    'package.json',
    '\u202e',
    '\u001b[2J',
    'x'.repeat(300),
    '~',
    '.git',
  ],
];
const names = [
  ...[
    'load',
    'format',
    'split',
    'count',
    'load.records',
    'split.records.train',
    'split.train',
    'nope',
    'LOAD',
  ],
  ...[
    '',
    '.',
    '..',
    '@',
    'p',
    '__proto__',
    'constructor',
    'toString',
    'load.',
    '.load',
    'load..x',
    '0',
    'stages',
  ],
];
const values = [
  ...[
    '1',
    '0',
    '-1',
    '1e9',
    '9007199254740993',
    '1e999',
    'NaN',
    'Infinity',
    '0x10',
    '1.5',
    '',
    ' ',
    'true',
    'null',
  ],
  ...['7d', '5GB', '0s', '-5GB', '1e400GB', 'alpaca', 'onnx', 'cpu', 'json', 'mermaid', 'text', 'all', 'x'],
  ...[
    '{',
    '[1,',
    '[1]',
    '{a: 1}',
    '&a [*a]',
    '!!js/x',
    '"',
    "'",
    '#',
    '\u0024{params.share}',
    'hf:x/y',
    'https://[::1',
    'openai:',
  ],
  ...['x'.repeat(5_000), '😀', '\ud800', '\u0000'.slice(1), '\t\n', '%s%n', '../../x', '/dev/null'],
];
const fields = [
  ...[
    'share',
    'seed',
    'name',
    'stages.load.with.records',
    'stages.load.with.limit',
    'stages.split.with.parts',
  ],
  ...[
    'stages',
    'stages.load',
    'stages.load.uses',
    'stages.x.uses',
    'params.share',
    'sweep',
    'extends',
    'inputs',
  ],
  ...[
    'stages.load.timeout',
    'stages.load.retries',
    'stages.load.resources.memory',
    'stages.count.with.command',
  ],
  ...[
    'stages.split.with.parts[0].train',
    'stages.0',
    '',
    '.',
    'a..b',
    '__proto__.x',
    'stages.load.with["records"]',
  ],
];

const word = (random: Random): string => {
  const kind = random();
  if (kind < 0.35) return pick(random, paths);
  if (kind < 0.8) return pick(random, names);
  return pick(random, values);
};

/** An option of the command, or of another, with what might come after it. */
function option(random: Random, own: (typeof commands)[number]): readonly string[] {
  const { options } = random() < 0.85 ? own : pick(random, commands);
  const chosen = options.length === 0 ? undefined : pick(random, options);
  if (chosen === undefined) return [pick(random, ['--help', '--version', '-x', '--nope=1', '--'])];
  const flag = chosen.long ?? chosen.short ?? '';
  if (!chosen.required || random() < 0.05) return [flag];
  return random() < 0.3 ? [`${flag}=${argument(random, flag)}`] : [flag, argument(random, flag)];
}

function argument(random: Random, flag: string): string {
  if ((flag === '--param' || flag === '--set') && random() < 0.9)
    return `${pick(random, fields)}${random() < 0.95 ? '=' : ''}${pick(random, [...values, ...names, ...paths])}`;
  if (flag === '--store' && random() < 0.8)
    return pick(random, ['artifacts', 'made/store', 'no-read/x', 'p.yaml']);
  return word(random);
}

/** A command line that a person might type, or a script by mistake. */
export function commandLine(random: Random): readonly string[] {
  const command = pick(random, commands);
  const words = Array.from({ length: Math.floor(random() * 3) }, () => word(random));
  const options = Array.from({ length: Math.floor(random() * 3) }, () => option(random, command)).flat();
  const line = [command.name, ...(random() < 0.6 ? ['p.yaml'] : []), ...words, ...options];
  if (random() < 0.03) return line.slice(1);
  return random() < 0.2 ? line.sort(() => random() - 0.5) : line;
}

/** Values of the variables that tuneloom or its libraries read. */
export function environmentOf(random: Random, folder: string): Record<string, string> {
  const settings: readonly (readonly [string, readonly string[]])[] = [
    ['PATH', ['', '/nonexistent', process.env.PATH ?? '']],
    ['HOME', ['', '/nonexistent', `${folder}/folder`, `${folder}/p.yaml`]],
    ['TMPDIR', ['', '/nonexistent', `${folder}/p.yaml`, `${folder}/folder`]],
    ['LANG', ['', 'xx_YY.UTF-9', 'C']],
    ['TZ', ['', 'Nowhere/Land', ':']],
    ['TERM', ['', 'dumb', 'xterm-256color']],
    ['COLUMNS', ['0', '-1', '1', 'x']],
    ['NO_COLOR', ['', '1']],
    ['FORCE_COLOR', ['', '0', '3', 'x']],
    ['CI', ['', '1']],
    ['TUNELOOM_STORE', ['', `${folder}/made/store`, `${folder}/p.yaml`, 'relative']],
    ['HF_ENDPOINT', ['', 'x', 'http://127.0.0.1:9', 'ftp://x', 'http://u:p@h']],
    ['HF_HOME', ['', '/nonexistent', `${folder}/p.yaml`]],
    ['HF_TOKEN', ['', 'a\nb', 'ключ', 'x'.repeat(9_000)]],
    ['OPENAI_API_KEY', ['', 'a\nb', 'ключ', '\u0001']],
    ['OPENAI_BASE_URL', ['', 'x', 'http://127.0.0.1:9/v1', 'http://u:p@h', 'http://[']],
    ['HTTP_PROXY', ['', 'x', 'http://127.0.0.1:9']],
    ['OMP_NUM_THREADS', ['', '0', 'x']],
  ];
  const chosen = settings.filter(() => random() < 0.35);
  const kept = random() < 0.7 ? [['PATH', process.env.PATH ?? ''] as const] : [];
  return Object.fromEntries([...kept, ...chosen.map(([name, list]) => [name, pick(random, list)] as const)]);
}
