import { mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { openCliRig } from './rig.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Compiles a stage as its author would, with the package installed. */
async function mistakesIn(code: string): Promise<string> {
  const compilerOptions = { strict: true, module: 'nodenext', target: 'es2023', noEmit: true };
  await using rig = await openCliRig({
    'package.json': '{ "type": "module" }',
    'tsconfig.json': JSON.stringify({ compilerOptions, include: ['index.ts'] }),
    'index.ts': code,
  });
  await mkdir(join(rig.folder, 'node_modules/@types'), { recursive: true });
  await symlink(root, join(rig.folder, 'node_modules/tuneloom'));
  await symlink(join(root, 'node_modules/@types/node'), join(rig.folder, 'node_modules/@types/node'));
  const { stdout } = await execa(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], {
    cwd: rig.folder,
    reject: false,
  });
  return stdout;
}

test('the package has the types of the stage API', async () => {
  const page = await readFile(join(root, 'docs/own-stages.md'), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  expect(await mistakesIn(code)).toBe('');
  expect(await mistakesIn(code.replace('longest: number', 'longest: string'))).toContain(
    "error TS2365: Operator '<=' cannot be applied to types 'number' and 'string'",
  );
});
