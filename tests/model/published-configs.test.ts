import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { paddedRows } from '../../src/model/attend-rows.ts';
import { writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { parameterLayout, parseModelConfig } from '../../src/model/model-config.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';

/** A widely used model's config.json with its sizes shrunk; made by published.py. */
interface Published {
  readonly name: string;
  readonly config: JsonObject;
  /** The config.json that transformers saves, by its major version. */
  readonly saved: Readonly<Record<'4' | '5', JsonObject>>;
  /** Those of transformers at two positions of the text below. */
  readonly logits: readonly number[];
}

const path = join(import.meta.dirname, '../fixtures/model/published.json');
const published: readonly Published[] = JSON.parse(readFileSync(path, 'utf8'));
const ids = Int32Array.of(3, 17, 8, 29, 1, 35, 22, 10, 5, 31, 14, 2);
const positions = [4, 11];

let folder: string;
beforeAll(async () => {
  await openTensorBackend({ backend: 'cpu' });
  folder = await mkdtemp(join(tmpdir(), 'published-'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each(published)('$name is read without a note and computed as in transformers', async (model) => {
  const config = parseModelConfig('config.json', model.config);
  expect(config.notes).toEqual([]);
  const own = join(folder, model.name.replace('/', '--'));
  await writeModelFolder(own, {
    config,
    read: (name) => weights(name, parameterLayout(config).get(name)?.shape),
  });
  await writeFile(join(own, 'config.json'), JSON.stringify(model.config));
  const opened = await openLanguageModel(own);
  const logits = await opened
    .logits(opened.hidden(paddedRows(opened.config, { ids, batch: 1, length: ids.length })))
    .array();
  opened.dispose();
  const at = positions.flatMap((position) => (logits as number[][])[position] ?? []);
  expect(at).toHaveLength(model.logits.length);
  expect(Math.max(...at.map((value, index) => Math.abs(value - (model.logits[index] ?? 0))))).toBeLessThan(
    1e-4,
  );
});

test.each(published)(
  '$name means the same as transformers 4 and 5 save its config.json',
  ({ config, saved }) => {
    const { json: _, ...expected } = parseModelConfig('config.json', config);
    for (const version of ['4', '5'] as const) {
      const { json: __, ...read } = parseModelConfig('config.json', saved[version]);
      expect(read).toEqual(expected);
    }
  },
);

/** As in published.py. */
function weights(name: string, shape: readonly number[] = []): Float32Array {
  const seed = crc32(name);
  const scale = /norm\.weight$|\.ln_.*weight$/.test(name) ? 1 : 0;
  const size = shape.reduce((product, each) => product * each, 1);
  return Float32Array.from(
    { length: size },
    (_, index) => 0.5 * (((index * 7919 + seed) % 1009) / 1009 - 0.5) + scale,
  );
}
