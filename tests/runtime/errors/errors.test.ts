import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { renderDiagnostics } from '../../../src/runtime/diagnostic/render-diagnostics.ts';
import { loadPipeline } from '../../../src/runtime/graph/load-pipeline.ts';
import { exampleStages } from '../example/example-stages.ts';

const folder = fileURLToPath(new URL('../../fixtures/errors', import.meta.url));
const cases = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

/** A case's overrides are in its comments: `# -p epochs=two`. */
const overridesIn = (file: string, flag: string): readonly string[] =>
  readFileSync(`${folder}/${file}`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`# ${flag} `))
    .map((line) => line.slice(flag.length + 3));

describe('every mistake in a pipeline is reported with its place, what is wrong and how to fix it', () => {
  test.each(cases)('%s', async (file) => {
    const loaded = await loadPipeline({
      file,
      registry: exampleStages,
      workingDirectory: folder,
      params: overridesIn(file, '-p'),
      sets: overridesIn(file, '--set'),
    });
    const reported = loaded.ok ? 'no mistake\n' : renderDiagnostics(loaded.error);
    await expect(reported).toMatchFileSnapshot(`${folder}/${file.replace('.yaml', '.txt')}`);
  });
});
