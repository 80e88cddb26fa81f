import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('every kind of data is readable', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run');
  expect((await rig.tuneloom('show', 'load', '--limit', '2')).stdout).toMatchInlineSnapshot(`
    "id           r0
    instruction  Spell dog.
    output       d-o-g

    id           r1
    instruction  Spell cat.
    output       c-a-t

    records 1 to 2 of 10; see more with --offset 2 or --limit"
  `);
  expect(
    (await rig.tuneloom('show', 'split.test', '-n', '1', '--offset', '1')).stdout,
  ).toMatchInlineSnapshot(`
    "id          r6
    [prompt]    Below is an instruction that describes a task. Write a response that
                appropriately completes the request.

                ### Instruction:
                Spell bee.
    [header]

                ### Response:
    [response]  b-e-e
    fields      {"instruction":"Spell bee.","output":"b-e-e"}

    records 2 to 2 of 2"
  `);
  expect((await rig.tuneloom('show', 'tokenize.test', '-n', '1')).stdout).toMatchInlineSnapshot(`
    "id          r5
    [prompt]    21106"Below" 318"␣is" 281"␣an" 12064"␣instruction" 326"␣that"
                8477"␣describes" 257"␣a" 4876"␣task" 13"." 19430"␣Write" 257"␣a"
                2882"␣response" 326"␣that" 20431"␣appropriately" 32543"␣completes"
                262"␣the" 2581"␣request" 13"." 198"⏎" 198"⏎" 21017"###"
                46486"␣Instruction" 25":" 198"⏎" 31221"Spell" 39610"␣owl" 13"."
    [header]    198"⏎" 198"⏎" 21017"###" 18261"␣Response" 25":" 198"⏎"
    [response]  78"o" 12"-" 86"w" 12"-" 75"l"

    records 1 to 1 of 2; see more with --offset 1 or --limit"
  `);
  expect((await rig.tuneloom('show', 'collate.train', '--batch', '2')).stdout).toMatchInlineSnapshot(`
    "epoch 1, batch 2 of 3: 2 rows, 12 tokens trained, 66 masked, 0 padding

    trained  [masked: read, not learned]  ·padding·

    r2
      [Below is an instruction that describes a task. Write a response that
      appropriately completes the request.

      ### Instruction:
      Spell cow.

      ### Response:
      ]c-o-w<|endoftext|>

    rows 1 to 1 of 2; see more with --offset 1 or --limit"
  `);
});

test('an artifact with parts asks for one of them', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run');
  expect([
    await rig.tuneloom('show', 'split'),
    await rig.tuneloom('show', 'split.tset'),
    await rig.tuneloom('show', 'splti'),
  ]).toMatchInlineSnapshot(`
    [
      {
        "exitCode": 2,
        "stderr": "error: \`split\` has the parts train, test, validation
      help: name one of them, as in \`tuneloom show split.train\`",
        "stdout": "",
      },
      {
        "exitCode": 2,
        "stderr": "error: \`split.tset\` names neither an output of \`split\` nor one of its parts
      help: did you mean \`split.test\`? It has split.records, split.train, split.test and split.validation",
        "stdout": "",
      },
      {
        "exitCode": 2,
        "stderr": "error: the pipeline data has no stage \`splti\`
      help: did you mean \`split\`? It has load, format, split, tokenize and collate",
        "stdout": "",
      },
    ]
  `);
});

test('before a stage has run there is nothing to show', async () => {
  await using rig = await openCliRig(dataProject);
  expect(await rig.tuneloom('show', 'load')).toMatchInlineSnapshot(`
    {
      "exitCode": 2,
      "stderr": "error: the stage \`load\` has not run yet
      help: run it with \`tuneloom run load\`",
      "stdout": "",
    }
  `);
});

test('after an edit the last result is shown, with a note that it is from a past run', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run');
  await rig.write('rows.jsonl', '{"id":"x","instruction":"a","output":"b"}\n');
  const { stderr, exitCode } = await rig.tuneloom('show', 'load', '-n', '1');
  expect([exitCode, stderr]).toEqual([
    0,
    'note: `load` has no result as the pipeline is now; this is from run <run>',
  ]);
});

test('the content of a row cannot control the terminal', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.write(
    'rows.jsonl',
    `${JSON.stringify({ id: 'x', instruction: '\u001b[2J\u001b]0;title\u0007', output: 'b' })}\n`,
  );
  await rig.tuneloom('run', 'data.yaml', 'load');
  expect((await rig.tuneloom('show', 'load')).stdout).toMatchInlineSnapshot(`
    "id           x
    instruction  \\x1b[2J\\x1b]0;title\\x07
    output       b"
  `);
});

test('--json gives place, digest and content', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run');
  for (const reference of ['load', 'split.test', 'tokenize.test', 'collate.train']) {
    const shown = JSON.parse((await rig.tuneloom('show', reference, '--json')).stdout);
    expect(Object.keys(shown).filter((name) => name !== 'part')).toEqual([
      'stage',
      'output',
      'type',
      'digest',
      'content',
    ]);
  }
});
