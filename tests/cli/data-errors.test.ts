import { readdirSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { openCliRig } from './rig.ts';

const folder = fileURLToPath(new URL('../fixtures/data-errors', import.meta.url));

/** The number of progress lines depends on the machine. */
const withoutProgress = (text: string): string => text.replaceAll(/^ {9}\S.*\n/gm, '');

describe('every mistake in data is reported with the file, the line, what is wrong and how to fix it', () => {
  test.concurrent.for(readdirSync(folder))('%s', async (name, { expect }) => {
    await using rig = await openCliRig();
    await cp(`${folder}/${name}`, rig.folder, { recursive: true, filter: (path) => !path.endsWith('.txt') });
    const { exitCode, stdout, stderr } = await rig.tuneloom('run', '--jobs', '1');
    const told = ['$ tuneloom run --jobs 1', withoutProgress(stdout), stderr, `exit code ${exitCode}`];
    await expect(`${told.filter((text) => text !== '').join('\n')}\n`).toMatchFileSnapshot(
      `${folder}/${name}/expected.txt`,
    );
  });
});
