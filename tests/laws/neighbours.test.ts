import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { run } from '../../src/stages/generate/run-generate.ts';
import { generateDefaults } from '../stages/generate/generate-defaults.ts';

/** How many sets of other records each record is asked with; the seed decides which. */
const rounds = Number(process.env.TUNELOOM_LAW_RUNS ?? 2);
const seed = Number(process.env.TUNELOOM_LAW_SEED ?? 20_260_101);

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'neighbours-'));
});
afterAll(() => rm(root, { recursive: true }));

const defaults = generateDefaults({
  max_new_tokens: 6,
  clean: false,
  batch_size: 4,
  endpoint: { concurrency: 1, timeout_seconds: 1, retries: 0 },
});

/** Eleven records whose prompts have from one to seven words, so that batches of four are ragged and the last is not full. */
const records = Array.from({ length: 11 }, (_, index) => ({
  id: `r${index}`,
  segments: [
    {
      role: 'prompt',
      text: Array.from({ length: 1 + (index % 7) }, (_, at) => `w${(5 * index + at) % 30}`).join(' '),
    },
    { role: 'response', text: `w${index} w${index + 1}` },
  ],
  choices: [' w1 w2', ' w3', ` w${index} w4 w5`],
  fields: {},
}));

type Asked = (typeof records)[number];

/** Each record's line, by its id. */
async function answers(asked: readonly Asked[], { config, model }: { config: JsonObject; model: string }) {
  const folder = await mkdtemp(join(root, 'run-'));
  await mkdir(join(folder, 'state'));
  const [input, output] = [join(folder, 'prompts.jsonl'), join(folder, 'responses.jsonl')];
  await writeFile(input, asked.map((record) => `${JSON.stringify(record)}\n`).join(''));
  await run(
    {
      stage: 'generate',
      uses: 'generate',
      version: 1,
      config: { ...defaults, ...config } as JsonObject, // a configuration is JSON
      inputs: {
        model: { path: join(import.meta.dirname, '../fixtures/model', model) },
        prompts: { path: input },
      },
      outputs: { responses: { path: output } },
      statePath: join(folder, 'state'),
      resources: { backend: 'onnx' },
    },
    { signal: new AbortController().signal, report: () => {} },
  );
  const lines = (await readFile(output, 'utf8')).trimEnd().split('\n');
  return Object.fromEntries(lines.map((line, index) => [asked[index]?.id ?? '', line]));
}

/** A shuffled share of the records. */
function someOf(round: number): readonly Asked[] {
  let state = (seed + 7919 * round) % 2_147_483_647;
  const keyed = records.map((record) => {
    state = (state * 48_271) % 2_147_483_647;
    return { record, key: state };
  });
  const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ record }) => record);
  return shuffled.slice(0, [1, 5, records.length, 3, 7][round % 5]);
}

const modes: Readonly<Record<string, JsonObject>> = {
  greedy: {},
  drawn: { temperature: 1, top_p: 0.9, seed: 3, samples: 1 },
  'in 8 bits': { precision: 'int8' },
  choices: { mode: 'choices' },
  score: { mode: 'score' },
  rolling: { mode: 'rolling' },
};

test.each(Object.entries(modes))(
  'law 5: the %s answer to a record does not depend on which others are asked with it, nor on their order',
  async (_, config) => {
    for (const model of ['tiny-gpt2', 'tiny-llama']) {
      const whole = await answers(records, { config, model });
      for (let round = 0; round < rounds; round += 1) {
        const asked = someOf(round);
        const given = await answers(asked, { config, model });
        expect({ model, given }).toEqual({
          model,
          given: Object.fromEntries(asked.map(({ id }) => [id, whole[id]])),
        });
      }
    }
  },
);
