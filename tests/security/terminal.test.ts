import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';

/** Sets a window's title, clears the screen, sets a color by a C1 control, reverses text. */
const evil = '\u001b]0;pwned\u0007\u001b[2J\u009b31m\u202e';
const inYaml = '\\e]0;pwned\\a\\e[2J\\x9b31m\\u202e';

const outputs = {
  records: [{ id: evil, [evil]: evil }],
  responses: [{ id: evil, prompt: evil, expected: evil, fields: { [evil]: evil }, response: evil }],
  history: [
    {
      type: 'step',
      step: evil,
      epoch: evil,
      loss: evil,
      learning_rate: evil,
      gradient_norm: evil,
      tokens: evil,
    },
    { type: 'sample', step: 1, epoch: 1, prompt: evil, response: evil },
    { type: 'end', step: evil, epoch: 1, reason: evil, best_step: evil },
  ],
  scores: [
    {
      metrics: [{ metric: evil, value: 1, higher_is_better: true, count: 1 }],
      records: [{ id: evil, values: { [evil]: evil } }],
    },
  ],
  file: [evil],
};
const types = Object.keys(outputs);
const linesOf = (items: readonly object[] | readonly string[]) =>
  items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join('\n');

const project = {
  'package.json': '{}',
  'rows.jsonl': `${JSON.stringify({ id: evil, instruction: evil, output: evil, [evil]: evil })}\n`,
  ...Object.fromEntries(Object.entries(outputs).map(([type, items]) => [`${type}.data`, linesOf(items)])),
  'p.yaml': `name: p
try_next: ["${inYaml}"]
params: { "x${inYaml}": "${inYaml}" }
stages:
  load: { with: { records: rows.jsonl } }
  bad: { uses: format, from: load, with: { template: { prompt: "{{ nothing }}", header: "", response: "" } } }
  noisy: { uses: shell, with: { command: 'cat "$FILE_f"; cat "$FILE_f" >&2; exit 1', outputs: { x: file }, files: { f: file.data } } }
${types.map((type) => `  s-${type}: { uses: shell, with: { command: 'cp "$FILE_f" "$OUT_x"', outputs: { x: ${type} }, files: { f: ${type}.data } } }`).join('\n')}
`,
  'wrong.yaml': `name: p
"a${inYaml}": 1
stages:
  s: { uses: "x${inYaml}", with: { "${inYaml}": 1 } }
  "q${inYaml}": {}
`,
};

/** Everything that controls a terminal except line feeds, and what reverses text. */
const steers = (text: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  /[\0-\u0008\v-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(text);

async function steering(rig: CliRig, commands: readonly (readonly string[])[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const words of commands) {
    const { exitCode, stdout, stderr } = await rig.tuneloom(...words);
    if (steers(stdout + stderr) || exitCode === undefined || exitCode >= 70)
      found.push(`${words.join(' ')}: ${exitCode} ${stderr}`);
  }
  return found;
}

test('no command lets data, keys, records or answers control the terminal, as text or as JSON', async () => {
  await using rig = await openCliRig(project);
  const runs = ['run p.yaml --keep-going', 'run p.yaml --keep-going --json', 'run p.yaml s-file load'];
  const reads = ['runs', 'runs --json', 'runs latest', 'plan p.yaml', 'explain p.yaml bad', 'graph p.yaml'];
  const shows = ['load', ...types.map((type) => `s-${type}`)].flatMap((id) => [
    `show p.yaml ${id}`,
    `show p.yaml ${id} --json`,
  ]);
  const mistakes = ['run wrong.yaml', 'run wrong.yaml --json', 'plan wrong.yaml'];
  const commands = [...runs, ...reads, ...shows, ...mistakes].map((line) => line.split(' '));
  expect(await steering(rig, commands)).toEqual([]);
});

test("nothing on the command line and no folder's name controls the terminal", async () => {
  const mean = evil.replaceAll('/', '');
  await using rig = await openCliRig({
    [`${mean}/package.json`]: '{}',
    [`${mean}/p.yaml`]: project['wrong.yaml'],
  });
  const commands = [
    [mean],
    [`--${mean}`],
    ['run', `${mean}.yaml`],
    ['run', `${mean}/p.yaml`],
    ['plan', `${mean}/p.yaml`, '-p', `${mean}=1`],
    ['show', mean],
    ['runs', mean],
    ['verify', '--store', `${mean}/store`],
    ['runs', '--store', `${mean}/store`, '--json'],
    ['init', mean],
  ];
  expect(await steering(rig, commands)).toEqual([]);
});

test('JSON keeps exactly the same values', async () => {
  await using rig = await openCliRig(project);
  await rig.tuneloom('run', 'p.yaml', 'load');
  const { stdout } = await rig.tuneloom('show', 'p.yaml', 'load', '--json');
  expect(JSON.parse(stdout).content.items).toEqual([
    { id: evil, instruction: evil, output: evil, [evil]: evil },
  ]);
});

test('invalid scores that a command wrote fail its stage, not the report of the run', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'p.yaml': `stages:
  s: { uses: shell, with: { command: 'echo "{}" > "$OUT_x"', outputs: { x: scores } } }
`,
  });
  const { exitCode, stdout, stderr } = await rig.tuneloom('run');
  expect([exitCode, stderr, stdout.includes('holds no scores')]).toEqual([1, '', true]);
});
