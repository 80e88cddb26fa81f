/** A project without a training, whose every figure is the same on every machine: a command stands for each model. */
const animals = [
  ...['bear', 'cat', 'cow', 'deer', 'duck', 'eel', 'fox', 'frog', 'goat', 'goose', 'horse', 'kangaroo'],
];
const young = [
  ...[
    'cub',
    'kitten',
    'calf',
    'fawn',
    'duckling',
    'elver',
    'kit',
    'tadpole',
    'kid',
    'gosling',
    'foal',
    'joey',
  ],
];

const rows = animals.map((animal, index) => ({
  id: `young-of-${animal}`,
  instruction: `What is the young of the ${animal} called, in a single word and without any explanation?`,
  output: young[index] ?? '',
}));

/** Both losses fall to step 60; from there the validation loss rises, by hand. */
const history = [
  ...Array.from({ length: 121 }, (_, step) => {
    const entry = { step, epoch: Math.ceil(step / 12) };
    const loss = 0.2 + 4 * 0.96 ** step;
    const validation = step < 60 ? 0.9 + 3 * 0.955 ** step : 1.09 + (step - 60) / 150;
    return [
      ...(step === 0
        ? []
        : [{ type: 'step', ...entry, loss, learning_rate: 5e-5, gradient_norm: 1.5, tokens: step * 812 }]),
      ...(step % 12 === 0
        ? [{ type: 'evaluation', ...entry, train_loss: loss, validation_loss: validation }]
        : []),
    ];
  }).flat(),
  { type: 'end', step: 120, epoch: 10, best_step: 60, reason: 'completed' },
];

const jsonLines = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

const answers = (wrongFrom: number) =>
  jsonLines(
    rows.map(({ id, instruction, output }, index) => ({
      ...{ id, prompt: `### Instruction:\n${instruction}\n\n### Response:\n`, expected: output },
      fields: { instruction },
      response:
        index < wrongFrom
          ? output
          : `the young of this animal is called ${output}, I would say, or perhaps not`,
    })),
  );

const copied = (name: string, type: string, from?: Readonly<Record<string, string>>): string => `  ${name}:
    uses: shell${
      from === undefined
        ? ''
        : `
    from: ${Object.keys(from).join()}`
    }
    with:
      command: cp "$FILE_data" "$OUT_${type}"
      outputs: { ${type}: ${type} }${
        from === undefined
          ? ''
          : `
      inputs: { given: ${Object.values(from).join()} }`
      }
      files: { data: data/${name}.jsonl }
`;

const stages = `stages:
  load: { with: { records: data/rows.jsonl } }
  format: { from: load, with: { template: alpaca } }
  split: { from: format, with: { by: hash, seed: "\${params.seed}", parts: [train: 0.75, validation: rest] } }
  tokenize: { from: split, with: { encoding: r50k_base } }
  collate:
    from: tokenize
    with: { batch_size: 8, max_length: "\${params.max_length}", train_on: response }
  base:
    uses: load
    with: { init: { context_length: 64, width: 8, layers: 12, heads: 2, encoding: r50k_base } }
${copied('train', 'history')}${copied('before', 'responses')}${copied('after', 'responses', { train: 'history' })}
  score_before: { uses: evaluate, from: before, with: { metrics: [exact_match, token_f1] } }
  score_after: { uses: evaluate, from: after, with: { metrics: [exact_match, token_f1] } }
`;

export const screensProject: Readonly<Record<string, string>> = {
  'package.json': '{}',
  'pipeline.yaml': `name: animals
params: { max_length: 128, seed: 1 }
${stages}`,
  'sweep.yaml': `name: animals-sweep
extends: pipeline.yaml
sweep:
  grid: { max_length: [96, 128], seed: [1, 2] }
`,
  'mistakes.yaml': `name: mistakes
rl: dpo
stages:
  load: { with: { records: data/rows.jsonl, sample_packing: true } }
  format: { from: load, with: { template: chatml } }
  train:
    from: { model: base, train: format, validation: a-stage-with-a-rather-long-name-that-does-not-exist }
    with: { epochs: 2, gradient_accumulation_steps: 4, rl: dpo, optimizer: { name: adamw_bnb_8bit, lr: 1.0e-4 }, schedule: { name: cosine_with_restarts } }
`,
  'data/rows.jsonl': jsonLines(rows),
  'data/train.jsonl': jsonLines(history),
  'data/before.jsonl': answers(0),
  'data/after.jsonl': answers(9),
  'chat.yaml': `name: chat
stages:
  load: { with: { records: data/chat.jsonl } }
  format: { from: load, with: { template: { chat: chatml } } }
`,
  'data/chat.jsonl': jsonLines([
    {
      id: 'one',
      messages: [
        { role: 'system', content: 'You answer in one word, whatever you are asked, and never explain it.' },
        { role: 'user', content: 'What is the young of the bear called?' },
        { role: 'assistant', content: 'cub' },
      ],
    },
  ]),
};
