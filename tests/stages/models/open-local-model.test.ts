import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLocalModel } from '../../../src/stages/models/open-local-model.ts';

test('a model behind an endpoint has no weights to open', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'local-model-'));
  await writeFile(join(folder, 'endpoint.json'), JSON.stringify({ provider: 'openai', model: 'm' }));
  await expect(openLocalModel(folder, { backend: 'cpu' })).rejects.toMatchObject({
    name: 'UserError',
    message: 'the model `m` is behind an endpoint: its weights are not here',
  });
  await rm(folder, { recursive: true });
});
