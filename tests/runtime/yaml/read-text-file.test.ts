import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTextFile } from '../../../src/runtime/yaml/document-reader.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tuneloom-source-'));
  await mkdir(join(folder, 'pipelines'));
  await writeFile(join(folder, 'pipelines/tiny.yaml'), '\ufeffname: tiny\r\n');
  await writeFile(join(folder, 'pipelines/latin.yaml'), Buffer.from([0x6e, 0xe9]));
  await writeFile(join(folder, 'pipelines/large.yaml'), ' '.repeat(9 * 2 ** 20));
});
afterAll(() => rm(folder, { recursive: true }));

const read = (path: string) => readTextFile(path, folder);

test('a file is read without its byte order mark, and shown as one would type it', async () => {
  expect(await read('pipelines/tiny.yaml')).toEqual({
    ok: true,
    value: {
      path: join(folder, 'pipelines/tiny.yaml'),
      displayPath: 'pipelines/tiny.yaml',
      text: 'name: tiny\r\n',
    },
  });
});

test.skipIf(process.platform === 'win32')('a device is refused, not read without end', async () => {
  expect(await read('/dev/zero')).toEqual({
    ok: false,
    error: { code: 'not-a-file', message: '`/dev/zero` is not a regular file' },
  });
});

test.each([
  [
    'pipelines/tiny.yml',
    {
      code: 'missing-file',
      message: 'there is no file `pipelines/tiny.yml`',
      help: 'did you mean `pipelines/tiny.yaml`?',
    },
  ],
  [
    'pipeline/tiny.yaml',
    {
      code: 'missing-file',
      message: 'there is no file `pipeline/tiny.yaml`',
      help: 'there is no folder `pipeline` either',
    },
  ],
  ['pipelines', { code: 'not-a-file', message: '`pipelines` is a folder, not a pipeline file' }],
  [
    'pipelines/latin.yaml',
    {
      code: 'not-utf8',
      message: '`pipelines/latin.yaml` is not UTF-8 text',
      help: 'save the file as UTF-8',
    },
  ],
  [
    'pipelines/large.yaml',
    {
      code: 'file-too-large',
      message: '`pipelines/large.yaml` has 9437184 bytes; a pipeline file can have 8388608',
    },
  ],
])('%s cannot be read, and why is said', async (path, error) => {
  expect(await read(path)).toEqual({ ok: false, error });
});
