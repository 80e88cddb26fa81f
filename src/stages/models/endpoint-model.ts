import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/index.ts';

/** The name of an endpoint's model if the folder refers to one; else undefined. */
export async function endpointModel(folder: string): Promise<string | undefined> {
  const path = join(folder, 'endpoint.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { provider, model }: { provider?: unknown; model?: unknown } = JSON.parse(text);
  if (provider === 'openai' && typeof model === 'string') return model;
  throw new UserError({
    code: 'bad-endpoint',
    message: `${path} does not name a model of a known provider: it contains ${text.trim()}`,
    help: 'load the model as `openai:<name>`',
  });
}
