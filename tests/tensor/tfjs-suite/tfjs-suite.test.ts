import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { bundleSuite } from './bundle-suite.ts';
import { exclusionOf, needless } from './exclusions.ts';
import type { SpecResult } from './run-suite.ts';

// Within the project, so that the bundle finds its packages.
const folder = mkdtempSync(join(import.meta.dirname, '../../../node_modules/.tfjs-suite-'));

test("the onnx backend passes tfjs-core's own tests, except those excluded with a reason", async () => {
  try {
    const results = await suiteOn('onnx');
    const failed = results.filter(({ status }) => status === 'failed');
    const passed = results.filter(({ status }) => status === 'passed');
    const excluded: Record<string, number> = {};
    const unexplained: SpecResult[] = [];
    for (const result of failed) {
      const reason = exclusionOf(result);
      if (reason === undefined) unexplained.push(result);
      else excluded[reason] = (excluded[reason] ?? 0) + 1;
    }
    const counts = {
      passed: passed.length,
      leftOutByTfjs: results.length - passed.length - failed.length,
      excluded,
    };
    const computed = passed.filter((result) => result.computed).length;
    console.log(JSON.stringify({ ...counts, computed }, undefined, 2));
    expect({ unexplained, needless: needless(results) }).toEqual({ unexplained: [], needless: [] });
    // A lower count is a regression; update a higher one here and in src/tensor/README.md.
    expect(counts).toMatchInlineSnapshot(`
      {
        "excluded": {
          "a gradient of tfjs that leaves out the mirrored elements": 2,
          "it is for images, and this backend is for language models; open the cpu backend for it": 489,
          "its result has a shape that depends on the data; work it out on the host from dataSync()": 80,
          "no language model here has needed it; write it from other operations, or open the cpu backend": 86,
          "sampling takes an explicit source of randomness; draw on the host from the probabilities": 7,
          "tensors of type string": 126,
          "the last bit of a float differs": 2,
          "there are no complex tensors here; keep real and imaginary parts apart": 113,
        },
        "leftOutByTfjs": 3,
        "passed": 2943,
      }
    `);
    // A read that a test does not await may count for the next one.
    expect(computed).toBeGreaterThan(1700);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 300_000);

async function suiteOn(backend: string): Promise<SpecResult[]> {
  const file = join(folder, 'results.json');
  await execa('node', [await bundleSuite(folder), backend, file], { stdio: 'ignore' });
  return JSON.parse(readFileSync(file, 'utf8')) as SpecResult[]; // as the program wrote them
}
