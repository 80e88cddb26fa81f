import { chmod, copyFile, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../src/core/json.ts';
import { oneText, pathOf, textOut, tinyStage, writeText } from '../../runtime/rig/tiny-stage.ts';

/** What a program does with a file that it was given, after it has read it. */
const ways: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  nothing: async () => {},
  'changes a copy': async (path) => {
    await copyFile(path, `${path}.copy`);
    await overwrite(`${path}.copy`);
  },
  'writes beside it': (path) => writeFile(`${path}.index`, 'index'),
  'changes it': (path) => overwrite(path),
  'replaces it': async (path) => {
    await writeFile(`${path}.new`, 'other');
    await rename(`${path}.new`, path);
  },
  'removes it': (path) => rm(path),
};

const harmless = ['nothing', 'changes a copy', 'writes beside it'];
export const waysToMeddle = Object.keys(ways);

async function overwrite(path: string): Promise<void> {
  await chmod(path, 0o600);
  await writeFile(path, 'other');
}

/** Whether a stage of this configuration must fail. */
export const isMeddling = ({ way, back }: JsonObject): boolean =>
  back !== undefined || (way !== undefined && !harmless.includes(String(way)));

/** A program of the user's that changes what it was given, or a source that is as it was again when it ends. */
export const meddle = {
  ...tinyStage({
    name: 'meddle',
    properties: {
      way: { type: 'string', default: 'nothing' },
      back: { type: 'string', 'x-key': 'source' },
    },
    ports: {
      inputs: { text: oneText, measure: { accepts: ['file'], required: false, parts: 'one' } },
      outputs: textOut,
    },
    run: async ({ config, inputs, outputs, ...action }) => {
      const text = await readFile(pathOf(inputs.text), 'utf8');
      const { way = 'nothing', back } = config;
      for (const port of Object.values(inputs)) await ways[String(way)]?.(await firstFile(pathOf(port)));
      if (back !== undefined) await changeAndRestore(String(back));
      return writeText({ config, inputs, outputs, ...action }, `${text}?`);
    },
  }),
  runsUserCode: true,
} as const;

/** A file itself, or one in a folder. */
async function firstFile(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) return path;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const [first] = entries.filter((entry) => !entry.isDirectory());
  return first === undefined ? path : join(first.parentPath, first.name);
}

/** Afterwards content, size and modification time are as before. */
async function changeAndRestore(path: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  const text = await readFile(path);
  await writeFile(path, 'another');
  await sleep(5);
  await writeFile(path, text);
  await utimes(path, atime, mtime);
}
