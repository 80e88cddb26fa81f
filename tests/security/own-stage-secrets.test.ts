import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';

const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));
const secret = 'leak-51c0ffee77';

const start = (rig: CliRig, words: readonly string[]) =>
  execa(process.execPath, [tuneloomScript, ...words], {
    cwd: rig.folder,
    env: { PATH: process.env.PATH, HOME: rig.folder, NO_COLOR: '1', API_SECRET: secret, OTHER_TOKEN: secret },
    extendEnv: false,
    reject: false,
    all: true,
  });

/** What an own stage that may read a secret can do with it by accident. */
const accidents: Readonly<Record<string, string>> = {
  prints:
    'console.log("key " + key); console.error(new Error(key)); process.stdout.write(Buffer.from(key)); throw new UserError({ code: "kept", message: "its log is kept" });',
  spells:
    'for (const letter of key) process.stdout.write(letter); throw new UserError({ code: "kept", message: "its log is kept" });',
  writes:
    'for (const letter of key) writeSync(2, letter); throw new UserError({ code: "kept", message: "its log is kept" });',
  delegates:
    'spawnSync("sh", ["-c", "echo $API_SECRET; echo $API_SECRET >&2"], { stdio: "inherit" }); throw new UserError({ code: "kept", message: "its log is kept" });',
  tells: 'host.report({ type: "note", level: "warning", message: "the key is " + key });',
  measures: 'return { key, nested: [{ [key]: key }] };',
  throws: 'throw new TypeError("401 for " + key);',
  explains: 'throw new UserError({ code: "refused", message: "no " + key, help: "is " + key + " right?" });',
  dies: 'console.error("last " + key); process.kill(process.pid, "SIGTERM"); await new Promise((r) => setTimeout(r, 9e3));',
};

const ownStage = (name: string, code: string) => ({
  [`${name}/stage.yaml`]: `name: ${name}\noutputs: { x: file }\nenvironment: [API_SECRET]\n`,
  [`${name}/index.ts`]: `import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { implementStage, UserError } from 'tuneloom/stage';
export const { run } = implementStage<object>()({
  inputs: {},
  outputs: { x: 'file' },
  async run({ outputs, host }) {
    const key = String(process.env.API_SECRET);
    await writeFile(outputs.x.path, String(process.env.OTHER_TOKEN));
    void [UserError, host, spawnSync, writeSync];
    ${code}
  },
});
`,
});

async function leaks(folder: string, text: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(paths.map(async (path) => [path, await readFile(path, 'latin1')] as const));
  return texts.filter(([path, content]) => `${path}${content}`.includes(text)).map(([path]) => path);
}

test('an own stage that prints, reports, measures or throws a secret leaves none behind, and sees none that it did not name', async () => {
  const names = Object.keys(accidents);
  await using rig = await openCliRig({
    'package.json': '{}',
    ...Object.assign({}, ...Object.entries(accidents).map(([name, code]) => ownStage(name, code))),
    'p.yaml': `stages:\n${names.map((name) => `  ${name}: { uses: ./${name} }\n`).join('')}`,
  });
  const run = await start(rig, ['run', '--json', '--keep-going']);
  const printed = [
    run,
    await start(rig, ['run', '--keep-going']),
    await start(rig, ['runs', 'latest', '--json']),
  ];
  expect(printed.map(({ all }) => all.includes(secret))).toEqual([false, false, false]);
  const { stages } = JSON.parse(printed[2]?.stdout ?? '');
  expect(names.map((name) => [name, stages[name].decision])).toEqual(
    names.map((name) => [name, ['tells', 'measures'].includes(name) ? 'reused' : 'failed']),
  );
  expect(run.all).toContain('401 for <secret>');
  expect(await leaks(rig.folder, secret)).toEqual([]);
  expect((await leaks(join(rig.folder, 'artifacts', 'state'), 'key <secret>')).length).toBeGreaterThan(0);
});

test.each([
  'https://user:hunter2-long@host.invalid/rows.jsonl',
  'https://host.invalid/rows.jsonl?token=hunter2-long',
  'https://host.invalid/rows.jsonl?X-Amz-Signature=hunter2-long',
  'hf:user:hunter2-long@owner/name',
  'hf:datasets/owner/name@main?token=hunter2-long:rows.jsonl',
])(
  'a source with a secret in its address is refused before it is stored, and not repeated: %#',
  async (address) => {
    await using rig = await openCliRig({
      'package.json': '{}',
      'p.yaml': `params: { from: rows.jsonl }\nstages:\n  load: { with: { records: "\${params.from}" } }\n`,
    });
    const { exitCode, all } = await start(rig, ['run', '-p', `from=${address}`, '--json']);
    expect([exitCode, all.includes('hunter2')]).toEqual([2, false]);
    expect(await leaks(rig.folder, 'hunter2')).toEqual([]);
  },
);
