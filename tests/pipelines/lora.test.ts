import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openShippedRig } from './shipped-pipeline.ts';

test('adapters learn what all weights learn, and are in a separate folder', async () => {
  await using rig = await openShippedRig();
  expect(await rig.run('lora', 'with_adapters')).toMatchObject({ exitCode: 0 });
  const { metrics } = await rig.scores('lora', 'with_adapters');
  expect(metrics.find(({ metric }) => metric === 'exact_match')?.value).toBeGreaterThan(0.9);
  const adapter = join(rig.folder, 'artifacts/outputs/lora/adapters/model/adapter');
  expect((await readdir(adapter)).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
  expect(JSON.parse(await readFile(join(adapter, 'adapter_config.json'), 'utf8'))).toMatchObject({
    r: 8,
    lora_alpha: 16,
    target_modules: ['c_attn', 'c_fc', 'c_proj'],
  });
  expect(await rig.plan('lora')).toMatchObject({ exitCode: 0 });
});
