import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from './rig.ts';

/** `clean` does something with its inputs; `both` reads the same input after it. The large one is not copied. */
const pipeline = `name: p
params: { do: 'true' }
stages:
  make:
    uses: shell
    with:
      command: |
        echo small > "$OUT_small"
        mkdir -p "$OUT_folder/sub" && echo a > "$OUT_folder/a" && echo b > "$OUT_folder/sub/b"
        head -c 70000000 /dev/zero > "$OUT_large"
      outputs: { small: file, folder: file, large: file }
  clean:
    uses: shell
    from: { small: make.small, folder: make.folder, large: make.large }
    with:
      command: '\${params.do}; echo done > "$OUT_o"'
      inputs: { small: file, folder: file, large: file }
      outputs: { o: file }
  both:
    uses: shell
    from: { small: make.small, folder: make.folder, large: make.large, after: clean }
    with:
      command: cat "$IN_small" "$IN_folder/a" "$IN_folder/sub/b" > "$OUT_o"; wc -c < "$IN_large" >> "$OUT_o"; tail -c 1 "$IN_large" | od -c | head -n 1 >> "$OUT_o"
      inputs: { small: file, folder: file, large: file, after: file }
      outputs: { o: file }
`;

const run = async (rig: CliRig, command: string) => {
  const { exitCode, stdout } = await rig.tuneloom('run', 'p.yaml', '-p', `do=${command}`);
  const failure = /^failed (clean: .*)$/m.exec(stdout)?.[1];
  return { exitCode, failure };
};

const outputOf = (rig: CliRig): Promise<string> =>
  readFile(join(rig.folder, 'artifacts/outputs/p/both/o'), 'utf8');

const sound = 'small\na\nb\n70000000\n0000000  \\0\n';
const changed = (what: string) => ({ exitCode: 1, failure: `clean: it changed ${what}` });
const large = {
  exitCode: 1,
  failure: 'clean: its input `large` changed in the store while it was being read',
};

test('a command that changes an input fails, and every other stage reads that input unchanged', async () => {
  await using rig = await openCliRig({ 'package.json': '{}', 'p.yaml': pipeline });
  const small = changed('its input `small`');
  const file = changed('`sub/b` of its input `folder`');
  const commands: readonly (readonly [string, { exitCode: number; failure: string }])[] = [
    ['sed -i s/small/big/ "$IN_small"', small],
    ['echo other > other; mv other "$IN_small"', small],
    ['rm -f "$IN_small"', small],
    ['chmod u+w "$IN_small"; echo more >> "$IN_small"', small],
    ['ln "$IN_small" "$IN_small.2"; chmod u+w "$IN_small.2"; echo more >> "$IN_small.2"', small],
    ['sed -i s/b/c/ "$IN_folder/sub/b"', file],
    ['chmod u+w "$IN_folder/sub/b"; truncate -s 0 "$IN_folder/sub/b"', file],
    ['rm -rf "$IN_folder/sub"', file],
    ['mv "$IN_large" .', changed('its input `large`')],
    ['cp "$IN_large" x; echo >> x; mv x "$IN_large"', changed('its input `large`')],
    // Through a link even the owner of a read-only file can change it: the store notices, and the next run restores it.
    ['chmod u+w "$IN_large"; printf x | dd of="$IN_large" conv=notrunc', large],
    ['chmod u+w "$IN_large"; truncate -s 3 "$IN_large"', large],
  ];
  for (const [command, due] of commands) expect([command, await run(rig, command)]).toEqual([command, due]);
  expect(await run(rig, 'true')).toEqual({ exitCode: 0, failure: undefined });
  expect(await outputOf(rig)).toBe(sound);
  expect((await rig.tuneloom('verify', 'p.yaml')).stdout).toContain('all sound');
}, 300_000);

test.each([
  'cp -r "$IN_folder" . && chmod -R u+w folder && echo more >> folder/a',
  'cp "$IN_small" . && chmod u+w small && sed -i s/small/big/ small',
  'echo index > "$IN_small.index"; echo lock > "$IN_folder/sub/.lock"',
  'touch "$IN_small" "$IN_folder/a"; chmod u+w "$IN_small"',
  'ln -s "$IN_large" data; head -c 3 data > /dev/null',
])('a command may use its inputs like this: %s', async (command) => {
  await using rig = await openCliRig({ 'package.json': '{}', 'p.yaml': pipeline });
  expect(await run(rig, command)).toEqual({ exitCode: 0, failure: undefined });
  expect(await outputOf(rig)).toBe(sound);
});

test('a result that is changed through the view of the outputs is computed again', async () => {
  await using rig = await openCliRig({ 'package.json': '{}', 'p.yaml': pipeline });
  await run(rig, 'true');
  const edit = 'chmod u+w artifacts/outputs/p/make/small; echo other > artifacts/outputs/p/make/small';
  await execa('sh', ['-c', edit], { cwd: rig.folder });
  expect(await rig.tuneloom('show', 'p.yaml', 'make.small')).toMatchObject({
    exitCode: 2,
    stderr: 'error: `make.small` is damaged in the store\n  help: `tuneloom run p.yaml make` makes it again',
  });
  expect((await rig.tuneloom('plan', 'p.yaml')).stdout).toContain(
    'its output `small` is damaged in the store',
  );
  await run(rig, 'true');
  expect(await outputOf(rig)).toBe(sound);
  expect(await readFile(join(rig.folder, 'artifacts/outputs/p/make/small'), 'utf8')).toBe('small\n');
});

const code = {
  'package.json': '{}',
  'p.yaml': `name: p
stages:
  run:
    uses: shell
    with: { command: sh "$FILE_code/main.sh" "$FILE_code" > "$OUT_o", files: { code: code }, outputs: { o: file } }
`,
};

const planned = async (rig: CliRig): Promise<unknown> =>
  JSON.parse((await rig.tuneloom('plan', 'p.yaml', '--json')).stdout).stages.map(
    ({ decision }: { decision: string }) => decision,
  );

test('what tools write beside the files of a command does not count', async () => {
  await using rig = await openCliRig({
    ...code,
    'code/main.sh': `mkdir -p "$1/sub/__pycache__" "$1/.git" "$1/.pytest_cache"
date +%N > "$1/sub/__pycache__/helper.pyc"; date +%N > "$1/.git/index"; date +%N > "$1/.DS_Store"
date +%N > "$1/helper.pyc"; echo done
`,
    'code/helper.py': 'print(1)\n',
  });
  expect(await rig.tuneloom('run', 'p.yaml')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await planned(rig)).toEqual(['reuse']);
  await rm(join(rig.folder, 'code/helper.py'));
  // Alone, it is a module.
  expect(await planned(rig)).toEqual(['run']);
});

test('a command may write a new file beside those that it reads, which then counts; a change of one fails', async () => {
  await using rig = await openCliRig({ ...code, 'code/main.sh': 'echo log > "$1/log.txt"; echo done\n' });
  const first = await rig.tuneloom('run', 'p.yaml');
  expect(first.exitCode).toBe(0);
  expect(first.stdout + first.stderr).toContain(
    'code/log.txt appeared beside the files that it reads, so that it runs again next time; write elsewhere',
  );
  await rig.write('code/main.sh', 'echo done\n');
  expect((await rig.tuneloom('run', 'p.yaml')).exitCode).toBe(0);
  expect(await planned(rig)).toEqual(['reuse']);
  await rig.write('code/main.sh', 'echo more >> "$1/log.txt"; echo done\n');
  const failed = await rig.tuneloom('run', 'p.yaml');
  expect({ exitCode: failed.exitCode, line: /^failed run.*$/m.exec(failed.stdout)?.[0] }).toEqual({
    exitCode: 1,
    line: 'failed run: code/log.txt changed while it was being read',
  });
});

test.each([
  ['was written to and restored', 'cp -p data keep; echo B > data; sleep 0.1; cp -p keep data'],
  ['was replaced and put back', 'ln data keep; echo B > x; mv x data; sleep 0.1; mv keep data'],
  ['was removed', 'rm data'],
])(
  'a file that %s while a command read it fails the stage, whose next run is recorded',
  async (_, change) => {
    const command = (body: string): string => `name: p
stages:
  read:
    uses: shell
    with: { command: '${body} cat "$FILE_data" > "$OUT_o"', files: { data: data }, outputs: { o: file } }
`;
    await using rig = await openCliRig({
      'package.json': '{}',
      data: 'A\n',
      'p.yaml': command(`cat "$FILE_data" > /dev/null; (cd "$(dirname "$FILE_data")" && ${change});`),
    });
    const failed = await rig.tuneloom('run', 'p.yaml');
    expect(failed.exitCode).toBe(1);
    await rig.write('data', 'A\n');
    await rig.write('p.yaml', command(''));
    expect((await rig.tuneloom('run', 'p.yaml')).exitCode).toBe(0);
    expect(await readFile(join(rig.folder, 'artifacts/outputs/p/read/o'), 'utf8')).toBe('A\n');
  },
);

test("a user's own stage that changes an input fails too", async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'p.yaml': `name: p
stages:
  make: { uses: shell, with: { command: 'echo small > "$OUT_o"', outputs: { o: file } } }
  own: { uses: ./own, from: make }
`,
    'own/stage.yaml': 'name: own\ninputs: { i: file }\noutputs: { o: file }\n',
    'own/index.ts': `import { chmod, writeFile } from 'node:fs/promises';
export async function run({ inputs, outputs }: any) {
  await chmod(inputs.i.path, 0o600);
  await writeFile(inputs.i.path, 'other');
  await writeFile(outputs.o.path, 'done');
  return {};
}
`,
  });
  const { exitCode, stdout } = await rig.tuneloom('run', 'p.yaml');
  expect({ exitCode, line: /^failed own:.*$/m.exec(stdout)?.[0] }).toEqual({
    exitCode: 1,
    line: 'failed own: it changed its input `i`',
  });
  expect(await readFile(join(rig.folder, 'artifacts/outputs/p/make/o'), 'utf8')).toBe('small\n');
});
