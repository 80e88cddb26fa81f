import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from './rig.ts';

const fixtures = fileURLToPath(new URL('../fixtures/init-from', import.meta.url));

/** A project in which both programs' files and their data are in `theirs`. */
async function openImportRig(): Promise<CliRig> {
  const rig = await openCliRig();
  await cp(fixtures, join(rig.folder, 'theirs'), { recursive: true });
  return rig;
}

/** What the pipeline's file says, without the line for editors. */
const pipelineIn = async (rig: CliRig, folder: string): Promise<string> =>
  (await readFile(join(rig.folder, folder, 'pipeline.yaml'), 'utf8')).split('\n').slice(1).join('\n');

test("axolotl's file becomes a pipeline that plan accepts, with what was not taken over by name", async () => {
  await using rig = await openImportRig();
  const init = await rig.tuneloom('init', 'ours', '--from', 'theirs/axolotl.yaml');
  expect([init.exitCode, init.stderr]).toEqual([0, '']);
  await expect(await pipelineIn(rig, 'ours')).toMatchFileSnapshot('__snapshots__/from-axolotl.yaml');
  expect(init.stdout).toMatchInlineSnapshot(`
    "Read axolotl's file: 27 fields taken over, 4 not.
    Not taken over, and what to do:
    - datasets[3].path: "s3://bucket/rows.jsonl": data comes from a path, hf:datasets/owner/name or an https: address; fetch it first
    - load_in_4bit: true: weights are float32 here; a GGUF file is a quantized base
    - evals_per_epoch: 4: \`evaluate: { every: ... }\` of \`train\` counts steps: divide those of an epoch
    - strange_field: "\${HOME}": it has no counterpart that this command knows; see docs/coming-from.md
    Not quite the same:
    - adapter -> train.lora: the base is float32: it takes more memory, and is not quantized
    - datasets[2].type -> format.template in Jinja: check it with \`tuneloom show format\`
    - datasets[2].split -> weight: 0.2: a share of the rows drawn by a seed, not the first ones
    - optimizer -> train.optimizer.name: "adamw": the same update with float32 state
    - gradient_accumulation_steps -> collate.batch_size: 8: times \`micro_batch_size\`, of one device: multiply it by the number of yours
    Nothing to do for bf16, flash_attention, wandb_project, output_dir.

    Wrote pipeline.yaml, pipeline.schema.json, .gitignore, package.json, .npmrc in ours.

    Next:
      cd ours
      npm install
      npx tuneloom plan"
  `);
  const plan = await rig.tuneloom('plan', 'ours/pipeline.yaml', '--json');
  expect([plan.exitCode, JSON.parse(plan.stdout).stages.length]).toEqual([0, 15]);
});

test("LLaMA-Factory's file and its dataset_info.json become one too", async () => {
  await using rig = await openImportRig();
  await rig.write('theirs/model/config.json', '{"model_type": "llama"}');
  const init = await rig.tuneloom('init', 'ours', '--from', 'theirs/llama-factory.yaml', '--json');
  expect(init.exitCode).toBe(0);
  const { program, left, needless } = JSON.parse(init.stdout);
  expect({
    program,
    left,
    needless: needless.map(({ field }: { field: string }) => field),
  }).toMatchInlineSnapshot(`
    {
      "left": [
        {
          "advice": "epochs are whole here; \`epochs: 2\` of \`train\` stands in",
          "field": "num_train_epochs",
          "value": 1.5,
        },
        {
          "advice": "no code of a model is ever run: its family must be one of docs/models.md",
          "field": "trust_remote_code",
          "value": true,
        },
      ],
      "needless": [
        "stage",
        "do_train",
        "plot_loss",
        "report_to",
      ],
      "program": "LLaMA-Factory",
    }
  `);
  await expect(await pipelineIn(rig, 'ours')).toMatchFileSnapshot('__snapshots__/from-llama-factory.yaml');
  const schema = await rig.tuneloom('graph', 'ours/pipeline.yaml');
  expect([schema.exitCode, schema.stderr]).toEqual([0, '']);
});

test('every field that is on is taken over, left with what to do, or has nothing to do', async () => {
  await using rig = await openImportRig();
  for (const name of ['axolotl', 'llama-factory']) {
    const init = await rig.tuneloom('init', name, '--from', `theirs/${name}.yaml`, '--json');
    const { taken, left, needless } = JSON.parse(init.stdout);
    const told = new Set<string>(
      [...taken, ...left, ...needless].map(({ field }: { field: string }) => /^\w+/.exec(field)?.[0] ?? ''),
    );
    const text = await readFile(join(fixtures, `${name}.yaml`), 'utf8');
    const fields = [...text.matchAll(/^(\w+): *(\S.*)?$/gm)].flatMap(([, field = '', value = 'list']) =>
      value === 'false' || field === 'deepspeed' ? [] : [field],
    );
    // What several fields say together is told once.
    const together = { micro_batch_size: 'gradient_accumulation_steps', dataset_dir: 'dataset' };
    expect(fields.filter((field) => !told.has(field) && !Object.hasOwn(together, field))).toEqual([]);
  }
});

test.each([
  [
    'a file of neither program',
    'model: x\n',
    "is neither axolotl's nor LLaMA-Factory's: it has no `base_model` and no `model_name_or_path`",
  ],
  [
    "trl's file",
    'model_name_or_path: x\nlearning_rate: 1\n',
    'it has no `stage`, `finetuning_type`, `dataset` or `template`',
  ],
  ['no YAML', 'a: [\n', 'cannot be read: '],
  ['a list', '- a\n', 'is no map of fields'],
  [
    'a billion laughs',
    `a: &a [x,x]\n${'bcdefghij'.replace(/./g, (c) => `${c}: &${c} [*${String.fromCharCode(c.charCodeAt(0) - 1)},*${String.fromCharCode(c.charCodeAt(0) - 1)}]\n`)}`,
    'cannot be read: ',
  ],
])('%s is refused, and nothing is written', async (_, text, message) => {
  await using rig = await openCliRig({ 'their.yaml': text });
  const init = await rig.tuneloom('init', 'ours', '--from', 'their.yaml');
  expect([init.exitCode, init.stderr]).toEqual([2, expect.stringContaining(message)]);
  expect(await readdir(rig.folder)).toEqual(['their.yaml']);
});

test('what a file says stays data: no parameter, no code, no sequence for the terminal', async () => {
  await using rig = await openCliRig();
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what must not become a parameter.
  const template = '{{ messages }}${params.x}';
  await writeFile(
    join(rig.folder, 'their.yaml'),
    JSON.stringify({
      base_model: 'a/b',
      datasets: [{ path: 'c/d', type: 'chat_template', chat_template_jinja: template }],
      evil: '\u001b[2J',
    }),
  );
  const init = await rig.tuneloom('init', 'ours', '--from', 'their.yaml');
  expect([init.exitCode, init.stdout.includes('\u001b')]).toEqual([0, false]);
  const text = await pipelineIn(rig, 'ours');
  expect(text).toContain('"{{ messages }}$${params.x}"');
  expect((await rig.tuneloom('plan', 'ours/pipeline.yaml')).exitCode).toBe(0);
});
