import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { openEndpoint, say } from '../stages/generate/endpoint/loopback-endpoint.ts';

const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));
const tinyModel = fileURLToPath(new URL('../fixtures/training/tiny-gpt2', import.meta.url));

/** Sets a window's title, clears the screen, hides what follows, sets a color by a C1 control, reverses text, rings the bell. */
const evil = '\u001b]0;pwned\u0007\u001b[2J\u001b[8m\u009b31m\u202e\b\r';

/** Everything that controls a terminal, except line feeds and the colors and weights that tuneloom itself uses. */
const steers = (text: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  /[\0-\u0008\v-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
    text.replaceAll(/\u001b\[(?:[0-24]|22|2[349]|3[0-79]|9[0-7])m/g, ''),
  );

function start(rig: CliRig, words: readonly string[], more: { color?: boolean; input?: string } = {}) {
  const color = more.color ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };
  return execa(process.execPath, [tuneloomScript, ...words], {
    cwd: rig.folder,
    env: { PATH: process.env.PATH, HOME: rig.folder, OPENAI_API_KEY: 'none', ...color },
    extendEnv: false,
    reject: false,
    input: more.input ?? '',
  });
}

const project = (baseUrl: string) => ({
  'package.json': '{}',
  'rows.jsonl': [1, 2]
    .map(
      (n) => `${JSON.stringify({ id: `${n}${evil}`, text: `q${n}${evil}`, expected: evil, [evil]: evil })}\n`,
    )
    .join(''),
  'ask.yaml': `name: ask
params: { model: good }
stages:
  base: { uses: load, with: { model: "openai:\${params.model}" } }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: { prompt: "{{ text }}", response: "{{ expected }}" } } }
  generate:
    from: { model: base, prompts: format }
    with: { clean: false, endpoint: { base_url: "${baseUrl}", retries: 0 } }
  evaluate: { from: generate, with: { metrics: [exact_match, token_f1] } }
`,
});

test('no answer controls the terminal when it is compared, reviewed, explained or scored, with or without color', async () => {
  await using endpoint = await openEndpoint((received, response) =>
    say(response, `${received.body.model}${evil}${received.prompt}`),
  );
  await using rig = await openCliRig({
    ...project(endpoint.baseUrl),
    'dev.json': JSON.stringify({
      data: [{ paragraphs: [{ qas: [{ id: evil, answers: [{ text: evil }], [evil]: evil }] }] }],
    }),
    'answers.json': JSON.stringify({ [evil]: evil, [`other${evil}`]: evil }),
    'broken.json': `{"${evil}": `,
  });
  const lines = [
    'run ask.yaml',
    `run ask.yaml -p model=b${evil}`,
    'run ask.yaml --json --force generate',
    'run ask.yaml --rerun',
    'diff ask.yaml',
    'diff ask.yaml --json',
    'explain ask.yaml generate',
    'plan ask.yaml',
    'show ask.yaml generate',
    'show ask.yaml evaluate',
    'runs latest',
    'gc --dry-run',
    'verify',
    'doctor --json',
    'score squad --data dev.json --predictions answers.json',
    'score squad --data dev.json --predictions broken.json',
    `score squad --data ${evil.replaceAll('/', '')} --predictions x`,
    `export ask.yaml base --to out${evil.replaceAll('/', '')}`,
  ];
  const found: string[] = [];
  for (const line of lines) {
    const { exitCode, stdout, stderr } = await start(rig, line.split(' '), { color: true });
    if (steers(stdout + stderr) || exitCode === undefined || exitCode >= 70)
      found.push(`${line}: ${exitCode} ${JSON.stringify(stdout + stderr).slice(0, 2000)}`);
  }
  for (const input of [`80 ${evil}\nb\ns\nq\n`, `${evil}\nn ${evil}\nq\n`])
    for (const words of [
      ['review', 'ask.yaml', 'generate', '--rater', `ada${evil}`],
      ['review', 'ask.yaml', 'generate', '--json'],
    ]) {
      const { stdout, stderr } = await start(rig, words, { input, color: true });
      if (steers(stdout + stderr)) found.push(`${words.join(' ')}: ${JSON.stringify(stdout + stderr)}`);
    }
  expect(found).toEqual([]);
}, 180_000);

test('a model whose vocabulary has escape sequences does not control the terminal in a chat', async () => {
  await using rig = await openCliRig({ 'package.json': '{}' });
  await cp(tinyModel, join(rig.folder, 'model'), { recursive: true });
  const path = join(rig.folder, 'model', 'tokenizer.json');
  const tokenizer = await readFile(path, 'utf8');
  await writeFile(
    path,
    tokenizer
      .replaceAll(/"w(\d+)":/g, (_, n) => `${JSON.stringify(`w${n}${n === '1' ? '' : evil}`)}:`)
      .replace('"unk_token": "w0"', '"unk_token": "w1"'),
  );
  for (const words of [
    ['chat', './model', '--max-new-tokens', '4', '--template', 'completion'],
    ['chat', './model', '--max-new-tokens', '4', '--template', 'completion', '--json'],
  ]) {
    const { exitCode, stdout, stderr } = await start(rig, words, {
      input: `w1 ${evil}\n/system ${evil}\nw2\n`,
      color: true,
    });
    expect([exitCode, stdout.includes('pwned'), steers(stdout + stderr)]).toEqual([0, true, false]);
  }
});
