import { expect, test } from 'vitest';
import { cleanAnswer, promptOf } from '../../../src/stages/generate/prompt.ts';
import type { Segment } from '../../../src/text/records.ts';

const alpaca: readonly Segment[] = [
  { role: 'prompt', text: 'Instruction: add.' },
  { role: 'header', text: '\n\n### Response:\n' },
  { role: 'response', text: 'Done.' },
];
const record = (segments: readonly Segment[]) => ({ id: 'a', segments, fields: { row: 1 } });

test('the model begins after the prompt and writes the header itself, or begins after the header', () => {
  const expected = {
    id: 'a',
    fields: { row: 1 },
    header: '### Response:',
    expected: 'Done.',
    ended: false,
    choices: [],
    conversation: undefined,
    isChat: false,
    endMark: undefined,
    sharedCharacters: 0,
    sample: 0,
  };
  expect(promptOf(record(alpaca), 'prompt')).toEqual({
    ...expected,
    text: 'Instruction: add.',
    pieces: [{ text: 'Instruction: add.' }],
    rest: [{ text: '\n\n### Response:\n' }, { text: 'Done.' }],
    between: '\n\n### Response:\n',
  });
  expect(promptOf(record(alpaca), 'header')).toEqual({
    ...expected,
    text: 'Instruction: add.\n\n### Response:\n',
    pieces: [{ text: 'Instruction: add.' }, { text: '\n\n### Response:\n' }],
    rest: [{ text: 'Done.' }],
    between: '',
  });
});

test('of a conversation the last answer is asked for', () => {
  const earlier: readonly Segment[] = [
    { role: 'prompt', text: 'Hello' },
    { role: 'response', text: 'Hi' },
  ];
  expect(promptOf(record([...earlier, ...alpaca]), 'prompt')).toMatchObject({
    text: 'HelloHiInstruction: add.',
    rest: [{ text: '\n\n### Response:\n' }, { text: 'Done.' }],
    expected: 'Done.',
  });
});

test('a record without a prompt is all answer, one without an answer expects nothing', () => {
  expect(promptOf(record(alpaca.slice(2)), 'header')).toMatchObject({
    text: '',
    rest: [{ text: 'Done.' }],
    header: '',
  });
  expect(promptOf(record(alpaca.slice(0, 1)), 'header')).toMatchObject({
    text: 'Instruction: add.',
    rest: [],
    expected: '',
  });
});

test('an answer with its own end is cut off from what a template writes after it', () => {
  const chat: readonly Segment[] = [
    { role: 'prompt', text: '<|im_start|>', special: true },
    { role: 'prompt', text: 'assistant\n' },
    { role: 'response', text: 'Done.' },
    { role: 'end', text: '<|im_end|>', special: true },
    { role: 'tail', text: '\n' },
  ];
  expect(promptOf({ ...record(chat), chat: { end: '<|im_end|>' } }, 'prompt')).toEqual({
    id: 'a',
    fields: { row: 1 },
    text: '<|im_start|>assistant\n',
    pieces: [{ text: '<|im_start|>', special: true }, { text: 'assistant\n' }],
    rest: [{ text: 'Done.' }, { text: '<|im_end|>', special: true }],
    ended: true,
    header: '',
    between: '',
    expected: 'Done.',
    choices: [],
    conversation: undefined,
    isChat: true,
    endMark: '<|im_end|>',
    sharedCharacters: 0,
    sample: 0,
  });
});

test('an answer is cleaned as the reference does: every header goes, and white space around the rest', () => {
  expect(cleanAnswer('\n\n### Response:\nThe cat.\n', '### Response:')).toBe('The cat.');
  expect(cleanAnswer('### Response: a ### Response: b', '### Response:')).toBe('a  b');
  expect(cleanAnswer(' as it is ', '')).toBe('as it is');
});
