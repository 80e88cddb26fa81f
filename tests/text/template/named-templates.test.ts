import { expect, test } from 'vitest';
import { namedTemplates, type TemplateName } from '../../../src/text/template/named-templates.ts';

const row = { instruction: 'Name the capital.', input: 'France', output: 'Paris.' };
const withoutInput = { ...row, input: '' };
const below = 'Below is an instruction that describes a task';
const write = 'Write a response that appropriately completes the request.';

const textsOf = (name: TemplateName, fields: Record<string, string>) =>
  namedTemplates[name](fields).map(({ role, text }) => [role, text]);

test('alpaca writes one opening, and the input only where there is one', () => {
  expect([textsOf('alpaca', row), textsOf('alpaca', withoutInput)]).toEqual([
    [
      ['prompt', `${below}. ${write}\n\n### Instruction:\nName the capital.\n\n### Input:\nFrance`],
      ['header', '\n\n### Response:\n'],
      ['response', 'Paris.'],
    ],
    [
      ['prompt', `${below}. ${write}\n\n### Instruction:\nName the capital.`],
      ['header', '\n\n### Response:\n'],
      ['response', 'Paris.'],
    ],
  ]);
});

test('alpaca-stanford has another opening for rows with an input', () => {
  expect([textsOf('alpaca-stanford', row), textsOf('alpaca-stanford', withoutInput)]).toEqual([
    [
      [
        'prompt',
        `${below}, paired with an input that provides further context. ${write}\n\n### Instruction:\nName the capital.\n\n### Input:\nFrance`,
      ],
      ['header', '\n\n### Response:'],
      ['response', 'Paris.'],
    ],
    [
      ['prompt', `${below}. ${write}\n\n### Instruction:\nName the capital.`],
      ['header', '\n\n### Response:'],
      ['response', 'Paris.'],
    ],
  ]);
});

test.each([
  ['phi3', '<|user|>', '\n', '<|assistant|>', ':\n'],
  ['phi3-plain', '<|user|>', '\n', '<|assistant|>', '\n'],
  ['phi3-capitalized', '<|User|>', '\n\n', '<|Assistant|>', '\n'],
] as const)(
  '%s writes markers that are special tokens where a tokenizer has them',
  (name, user, gap, assistant, end) => {
    expect(namedTemplates[name]({ ...row, input: '<|user|>' })).toEqual([
      { role: 'prompt', text: user, special: 'perhaps' },
      { role: 'prompt', text: '\nName the capital.\n<|user|>' },
      { role: 'header', text: gap },
      { role: 'header', text: assistant, special: 'perhaps' },
      { role: 'header', text: end },
      { role: 'response', text: 'Paris.' },
    ]);
  },
);

test('completion is the response alone', () => {
  expect(textsOf('completion', { text: 'Once.' })).toEqual([['response', 'Once.']]);
});

test('a field that is missing, null or no text is named, with the fields that are there', () => {
  const { alpaca } = namedTemplates;
  expect(() => alpaca({ question: 'q', output: 'o' })).toThrow(
    expect.objectContaining({
      code: 'missing-field',
      message: 'it has no field `instruction`',
      help: 'map it with `fields: { instruction: <its name in your data> }` of the load stage; the row has `question`, `output`',
    }),
  );
  expect(() => alpaca({ instruction: 'i', output: null })).toThrow('its field `output` is null');
  expect(() => alpaca({ instruction: ['i'], output: 'o' })).toThrow(
    'its field `instruction` is a list (["i"]), not text',
  );
});
