import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { ShellConfig } from '../../../src/generated/shell-config.ts';
import { run } from '../../../src/stages/shell/run-shell.ts';
import { checkShell, shellStage } from '../../../src/stages/shell/shell-stage.ts';
import { openStageRig } from '../stage-rig.ts';

const configOf = (config: Partial<ShellConfig>) => ({
  command: 'true',
  inputs: {},
  outputs: { result: 'file' as const },
  files: {},
  environment: {},
  ...config,
});

const outputs = { result: 'result' };

test('a line reads its inputs and files and writes its outputs by the paths in its variables', async () => {
  await using rig = await openStageRig();
  await rig.write('rows', 'b\na\n');
  const program = await rig.write('program.sh', 'sort "$1"\n');
  const config = configOf({
    command: 'sh "$FILE_program" "$IN_rows" | tr a-z A-Z > "$OUT_result"',
    inputs: { rows: 'file' },
    files: { program },
  });
  await rig.run({ run }, { config, inputs: { rows: 'rows' }, outputs });
  expect(await readFile(rig.path('result'), 'utf8')).toBe('A\nB\n');
});

test('a list is a program and its arguments, in which no shell reads anything but the paths', async () => {
  await using rig = await openStageRig();
  const script = 'require("fs").writeFileSync(process.argv[1], process.argv.slice(2).join("|"))';
  const config = configOf({ command: [process.execPath, '-e', script, '$OUT_result', '$HOME; ls', '*'] });
  await rig.run({ run }, { config, outputs });
  expect(await readFile(rig.path('result'), 'utf8')).toBe('$HOME; ls|*');
});

test.each([
  ['responses', '{"id":"0","prediction":"a"}', 'the response has no `prompt`'],
  ['responses', '3', 'the response has no `id`'],
  ['history', 'null', 'an entry of a history is an object with a `type`'],
] as const)('%s that are none fail the stage that wrote them: %s', async (type, line, reason) => {
  await using rig = await openStageRig();
  const config = configOf({ command: `echo '${line}' > "$OUT_result"`, outputs: { result: type } });
  await expect(rig.run({ run }, { config, outputs })).rejects.toMatchObject({
    name: 'UserError',
    message: `$OUT_result:1: ${reason}`,
  });
});

test('an output may be a folder', async () => {
  await using rig = await openStageRig();
  const config = configOf({ command: 'mkdir "$OUT_result" && echo 1 > "$OUT_result/a"' });
  await rig.run({ run }, { config, outputs });
  expect(await readdir(rig.path('result'))).toEqual(['a']);
});

test('the command sees the declared environment and no more, and works in an empty folder', async () => {
  await using rig = await openStageRig();
  process.env.TUNELOOM_TEST_OUTSIDE = 'outside';
  const config = configOf({
    command: '{ env | cut -d= -f1; ls; } > "$OUT_result"',
    environment: { DECLARED: 'yes' },
  });
  await rig.run({ run }, { config, outputs });
  const seen = (await readFile(rig.path('result'), 'utf8')).trim().split('\n');
  // The shell itself sets PWD, OLDPWD, SHLVL and _.
  const setByShell = ['PWD', 'OLDPWD', 'SHLVL', '_'];
  const always = ['PATH', 'HOME', 'TMPDIR', 'LANG'].filter((name) => process.env[name] !== undefined);
  const expected = [...always, 'PYTHONDONTWRITEBYTECODE', 'DECLARED', 'OUT_result'].sort();
  expect(seen.filter((name) => !setByShell.includes(name)).sort()).toEqual(expected);
});

test('a variable passed by name reaches the command and never its printed output', async () => {
  await using rig = await openStageRig();
  process.env.TUNELOOM_TEST_TOKEN = 'hunter2-and-more';
  const config = configOf({
    command: 'echo "$TUNELOOM_TEST_TOKEN" > "$OUT_result"; echo "token $TUNELOOM_TEST_TOKEN" >&2; exit 3',
    environment: ['TUNELOOM_TEST_TOKEN'],
  });
  await expect(rig.run({ run }, { config, outputs })).rejects.toMatchObject({
    message: 'the command ended with exit code 3\ntoken <secret>',
  });
  expect(await readFile(rig.path('result'), 'utf8')).toBe('hunter2-and-more\n');
  expect(rig.reports).toEqual([{ type: 'note', level: 'info', message: 'token <secret>' }]);
});

test('what the command writes to its standard streams becomes notes, a progress bar only its last state', async () => {
  await using rig = await openStageRig();
  const config = configOf({ command: "printf '1%%\\r50%%\\r100%%\\n'; echo done" });
  await rig.run({ run }, { config, outputs });
  expect(rig.reports).toEqual([
    { type: 'note', level: 'info', message: '100%' },
    { type: 'note', level: 'info', message: 'done' },
  ]);
});

test.each([
  {
    end: 'an exit code',
    command: 'echo working; echo no such table >&2; exit 7',
    message: 'the command ended with exit code 7\nno such table',
    help: 'the lines above are the end of what it wrote to stderr',
  },
  {
    end: 'a signal',
    command: 'kill -KILL $$',
    message: 'the command was killed by SIGKILL',
    help: undefined,
  },
  {
    end: 'a missing program',
    command: ['no-such-program-anywhere', 'a'],
    message: 'the command cannot be found: no-such-program-anywhere a',
    help: undefined,
  },
  {
    end: 'a program that cannot be executed',
    command: ['/'],
    message: 'the command cannot be started: spawn / EACCES',
    help: 'the first word must name a program that may be executed: `chmod +x` a script, or put its interpreter first',
  },
  {
    end: 'a line longer than the system takes',
    command: `: ${'x'.repeat(2 ** 22)}`,
    message: 'the command cannot be started: spawn E2BIG',
    help: 'its arguments and variables are longer than the system allows: put long text into a file',
  },
  {
    end: 'an empty program',
    command: [''],
    message: "the command cannot be started: The argument 'file' cannot be empty. Received ''",
    help: undefined,
  },
  {
    end: 'a null byte',
    command: ['echo', 'a\0b'],
    message: 'the command cannot be started: Arguments cannot contain null bytes ("\\0"): a\0b',
    help: undefined,
  },
])('$end is a failure that says so', async ({ command, message, help }) => {
  await using rig = await openStageRig();
  await expect(rig.run({ run }, { config: configOf({ command }), outputs })).rejects.toMatchObject({
    name: 'UserError',
    code: 'command-failed',
    message,
    help,
  });
});

test('of long error output the last twenty lines are shown', async () => {
  await using rig = await openStageRig();
  const config = configOf({ command: 'seq 100 >&2; exit 1' });
  const last = Array.from({ length: 20 }, (_, index) => 81 + index);
  await expect(rig.run({ run }, { config, outputs })).rejects.toMatchObject({
    message: ['the command ended with exit code 1', ...last].join('\n'),
  });
});

test('a variable that is not set is named before the command runs', async () => {
  await using rig = await openStageRig();
  const config = configOf({ command: 'touch "$OUT_result"', environment: ['TUNELOOM_TEST_MISSING'] });
  await expect(rig.run({ run }, { config, outputs })).rejects.toMatchObject({
    name: 'UserError',
    code: 'missing-variable',
    help: 'set it, or give it a value with `environment: { TUNELOOM_TEST_MISSING: ... }`',
  });
  expect(await readdir(rig.folder)).toEqual([]);
});

test('an aborted run ends the command and what it has started', async () => {
  await using rig = await openStageRig();
  const controller = new AbortController();
  const running = run(
    {
      stage: 'tested',
      uses: 'shell',
      version: 1,
      config: configOf({ command: 'sleep 600 & echo started; wait' }),
      inputs: {},
      outputs: { result: { path: rig.path('result') } },
      statePath: rig.path('state'),
      resources: {},
    },
    {
      signal: controller.signal,
      report: () => controller.abort(),
    },
  );
  // The sleeping process holds the stream that the stage reads to its end: if it survived, this would wait for it.
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
});

test('its ports are the declared ones in alphabetical order, and a `file` port takes anything', () => {
  const ports = shellStage.ports(
    configOf({ inputs: { z: 'file', a: 'records' }, outputs: { second: 'scores', first: 'records' } }),
  );
  expect(Object.entries(ports.inputs).map(([name, { accepts }]) => [name, accepts.length])).toEqual([
    ['a', 1],
    ['z', 9],
  ]);
  expect(Object.entries(ports.outputs)).toEqual([
    ['first', { type: 'records' }],
    ['second', { type: 'scores' }],
  ]);
});

test('a path variable that nothing declares is found before anything runs', () => {
  const config = configOf({ command: 'cat $IN_row $FILE_x > $OUT_result', inputs: { rows: 'records' } });
  expect(checkShell(config)).toEqual([
    {
      pointer: '/command',
      code: 'unknown-variable',
      message: 'the command uses `$IN_row`, which the stage does not declare',
      help: 'there is $IN_rows, $OUT_result',
    },
    {
      pointer: '/command',
      code: 'unknown-variable',
      message: 'the command uses `$FILE_x`, which the stage does not declare',
      help: 'there is $IN_rows, $OUT_result',
    },
  ]);
});
