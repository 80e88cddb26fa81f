import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../../src/core/user-error.ts';
import type { StageRegistry } from '../../../src/runtime/stage/stage-definition.ts';
import { formatStage } from '../../../src/stages/format/format-stage.ts';
import { loadStage } from '../../../src/stages/load/load-stage.ts';
import { splitStage } from '../../../src/stages/split/split-stage.ts';
import { tokenizeStage } from '../../../src/stages/tokenize/tokenize-stage.ts';
import { oneText, pathOf, readText, textOut, tinyStage, writeText } from '../../runtime/rig/tiny-stage.ts';
import { tinyRegistry } from '../../runtime/rig/tiny-stages.ts';
import { meddle } from './meddle.ts';

const source = { type: 'string', 'x-key': 'source' } as const;

/** Several files, in their order, and all files of a folder. */
const gather = tinyStage({
  name: 'gather',
  properties: { paths: { type: 'array', items: source, default: [] }, folder: source },
  ports: { inputs: {}, outputs: textOut },
  run: async (action) => {
    const { paths, folder } = action.config;
    const files = [...(Array.isArray(paths) ? paths : []), ...(await filesIn(folder))];
    const texts = await Promise.all(files.map((path) => readFile(String(path), 'utf8')));
    return writeText(action, texts.join('|'));
  },
});

async function filesIn(folder: unknown): Promise<readonly string[]> {
  if (typeof folder !== 'string') return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : [])).sort();
}

/** A nested configuration, a port that may stay empty, a second output, and texts that it refuses. */
const revise = tinyStage({
  name: 'revise',
  properties: {
    rule: {
      type: 'object',
      default: {},
      properties: {
        word: { type: 'string', default: '' },
        deep: {
          type: 'object',
          properties: { times: { type: 'integer', default: 1 }, note: { type: 'string', 'x-key': 'none' } },
        },
      },
    },
    refuse: { type: 'string', default: '', 'x-key': 'unless-default' },
  },
  ports: {
    inputs: { text: oneText, measure: { accepts: ['file'], required: false, parts: 'one' } },
    outputs: { ...textOut, size: { type: 'text' } },
  },
  run: async (action) => {
    const text = await readText(action.inputs.text);
    const { refuse, rule } = action.config;
    if (typeof refuse === 'string' && refuse !== '' && text.includes(refuse)) {
      throw new UserError({ code: 'refused', message: `the text holds ${refuse}` });
    }
    const measured = action.inputs.measure === undefined ? 0 : await sizeOf(pathOf(action.inputs.measure));
    await writeFile(pathOf(action.outputs.size), `${measured}`);
    return writeText(action, `${text}${JSON.stringify(rule, ['word', 'deep', 'times'])}`);
  },
});

/** Bytes of a file, number of files in a folder. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  return found.isDirectory() ? (await readdir(path, { recursive: true })).length : found.size;
}

/** Small stages with one of everything that decides about reruns, and the data stages that come with tuneloom. */
export const lawRegistry: StageRegistry = new Map([
  ...tinyRegistry,
  // In this process, which starts no other.
  ...[loadStage, formatStage, splitStage, tokenizeStage, gather, revise, meddle].map(
    (stage) => [stage.name, { ...stage, process: 'inline' }] as const,
  ),
]);
