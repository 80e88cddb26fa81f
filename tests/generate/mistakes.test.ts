import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const script = async (name: string) =>
  import(new URL(`../../scripts/generate/${name}.mjs`, import.meta.url).href);
const { docsTables } = await script('docs-tables');
const { validators } = await script('validators');

interface Broken {
  readonly file: string;
  readonly message: string;
}

const schema = { type: 'object', properties: { a: { type: 'string' } } };
const declared = { metrics: [], benchmarks: [], peers: { fields: [], advice: [] } };

test('a page without the markers of its table is named, and one that is not written yet is not', async () => {
  const root = await mkdtemp(join(tmpdir(), 'tuneloom-generate-'));
  try {
    await mkdir(join(root, 'docs/stages'), { recursive: true });
    await writeFile(join(root, 'docs/stages/mine.md'), '# mine\n\n<!-- field -->\n<!-- /fields -->\n');
    const broken: Broken[] = [];
    const stages = ['mine', 'new'].map((name) => ({ name, schema }));
    await docsTables(root, { stages, settings: schema, broken }, declared);
    expect(broken).toEqual([
      {
        file: 'docs/stages/mine.md',
        message: 'needs the lines `<!-- fields -->` and `<!-- /fields -->`, between which a table is written',
      },
    ]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test('an `x-key` of another value is quoted beside those that it can have', async () => {
  const properties = { a: { type: 'string', 'x-key': 'never' } };
  const broken: Broken[] = [];
  const root = process.cwd();
  const stages = [{ name: 'mine', schema: { type: 'object', properties } }];
  await validators(root, { pipeline: schema, ownStage: schema, settings: schema, stages, broken });
  expect(broken).toEqual([
    {
      file: 'schemas/stages/mine.schema.json',
      message: '"x-key" is "never"; it can be "source", "none", "unless-default"',
    },
  ]);
});
