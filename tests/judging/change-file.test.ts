import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { newTemporaryFolder } from '../../src/core/index.ts';
import { changeFile, RatingsFile } from '../../src/judging/index.ts';
import { thisProcess } from '../../src/runtime/store/process-identity.ts';
import { sealJson } from '../../src/runtime/store/sealed-json.ts';

const newPath = async (): Promise<string> => join(await newTemporaryFolder('change-'), 'file.txt');

test('changes follow one another, and leave the file alone behind', async () => {
  const path = await newPath();
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  await Promise.all(letters.map((letter) => changeFile(path, (text) => text + letter)));
  expect([...(await readFile(path, 'utf8'))].toSorted()).toEqual(letters);
  expect(await readdir(dirname(path))).toEqual(['file.txt']);
});

test('the lock of a dead process is taken over', async () => {
  const path = await newPath();
  const { pid } = spawnSync('true');
  await writeFile(`${path}.lock`, sealJson(JSON.stringify({ ...thisProcess(), pid, start: '1' })));
  await changeFile(path, () => 'new');
  expect([await readFile(path, 'utf8'), existsSync(`${path}.lock`)]).toEqual(['new', false]);
});

test('a change that fails changes nothing and lets go of the file', async () => {
  const path = await newPath();
  await writeFile(path, 'old');
  const fail = () => {
    throw new Error('no');
  };
  await expect(changeFile(path, fail)).rejects.toThrow('no');
  expect([await readFile(path, 'utf8'), await readdir(dirname(path))]).toEqual(['old', ['file.txt']]);
});

test('a link is followed, the mode stays, and bytes that are no text are not lost', async () => {
  const path = await newPath();
  await writeFile(path, 'old', { mode: 0o640 });
  const link = join(dirname(path), 'link.txt');
  await symlink(path, link);
  await changeFile(link, (text) => `${text} and new`);
  expect([(await lstat(link)).isSymbolicLink(), await readFile(path, 'utf8')]).toEqual([true, 'old and new']);
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  await writeFile(path, Buffer.from([0xff, 0xfe]));
  await expect(changeFile(path, () => 'new')).rejects.toThrow('is not UTF-8 text');
  expect(await readFile(path)).toEqual(Buffer.from([0xff, 0xfe]));
});

test("ratings keep a user's own columns, and rows that others have added meanwhile", async () => {
  const path = (await newPath()).replace('.txt', '.csv');
  await writeFile(path, 'key,rater,score,note,prompt,response,team\nk1,ada,3,,p,r,red\n');
  const [one, two] = [await RatingsFile.open(path), await RatingsFile.open(path)];
  const row = { rater: 'bob', note: '', prompt: 'p', response: 'r' };
  await one.put({ ...row, key: 'k2', score: '4' });
  await two.put({ ...row, key: 'k3', score: '5' });
  await two.put({ ...row, rater: 'ada', key: 'k1', score: '1', note: 'a, "b"' });
  expect(await readFile(path, 'utf8')).toBe(
    'key,rater,score,note,prompt,response,team\nk1,ada,1,"a, ""b""",p,r,red\nk2,bob,4,,p,r,\nk3,bob,5,,p,r,\n',
  );
});
