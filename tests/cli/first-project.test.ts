import { expect, test } from 'vitest';
import { openCliRig } from './rig.ts';

test('the project that init writes runs, and all of its results can be shown', async () => {
  await using rig = await openCliRig();
  await rig.tuneloom('init');
  const run = await rig.tuneloom('run', '--json', '-p', 'epochs=2');
  const { outcome, ran, losses, scores, answers, try_next } = JSON.parse(run.stdout.split('\n').at(-1) ?? '');
  expect([run.exitCode, outcome, ran.length, try_next.length]).toEqual([0, 'succeeded', 11, 3]);
  expect(losses.map(Object.keys)).toEqual([['stage', 'train', 'validation', 'kept_step']]);
  expect(scores.map(({ stage }: { stage: string }) => stage)).toEqual(['score_before', 'score_after']);
  expect(answers.map(({ expected, given }: Answer) => [expected, given.map(({ stage }) => stage)])).toEqual([
    ['cub', ['before', 'after']],
    ['duckling', ['before', 'after']],
    ['gosling', ['before', 'after']],
  ]);
  const show = async (...words: string[]) => (await rig.tuneloom('show', ...words, '-p', 'epochs=2')).stdout;
  expect(await show('base', '--limit', '3')).toMatchInlineSnapshot(`
    "1,625,088 parameters in 16 tensors, 6.5 MB

    model_type                 gpt2
    architectures              ["GPT2LMHeadModel"]
    vocab_size                 50257
    n_positions                128
    n_embd                     32
    n_layer                    1
    n_head                     2
    tie_word_embeddings        true
    bos_token_id               50256
    eos_token_id               50256
    tokenizer.vocabulary       r50k_base
    tokenizer.vocabulary_size  50257
    tokenizer.end_of_text      50256

    parameter                           shape    type  count
    transformer.h.0.attn.c_attn.bias    96       F32      96
    transformer.h.0.attn.c_attn.weight  32 × 96  F32   3,072
    transformer.h.0.attn.c_proj.bias    32       F32      32

    tensors 1 to 3 of 16; see more with --offset 3 or --limit"
  `);
  expect(await show('base.tokenizer')).toMatchInlineSnapshot(`
    "vocabulary   r50k_base
    tokens       50,257
    end of text  50256
    sample       21106"Below" 318"␣is" 281"␣an" 12064"␣instruction" 326"␣that"
                 8477"␣describes" 257"␣a" 4876"␣task" 13".""
  `);
  const history = JSON.parse(await show('train.history', '--json'));
  expect(
    history.content.items.map(({ type, step }: { type: string; step: number }) => `${type} ${step}`),
  ).toMatchInlineSnapshot(`
    [
      "evaluation 0",
      "step 1",
      "evaluation 1",
      "step 2",
      "evaluation 2",
      "end 2",
    ]
  `);
  const heads = [await show('train.history'), await show('score_after'), await show('after', '-n', '1')];
  expect(heads.map((text) => text.split('\n')[0])).toMatchInlineSnapshot(`
    [
      "  10.88 ⠛⠒⠒⠤⠤⣤⣤⠤⢄⣀⣀⣀⣀⡀",
      "metric       value  standard error  records",
      "id        8667254e5cd3e6a9",
    ]
  `);
});

interface Answer {
  readonly expected: string;
  readonly given: readonly { readonly stage: string }[];
}
