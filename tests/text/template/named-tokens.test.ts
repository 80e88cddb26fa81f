import { expect, test } from 'vitest';
import { namedTokensTemplate } from '../../../src/text/template/named-tokens.ts';
import { openEncoding } from '../../../src/text/tokenizer/encoding-tokenizer.ts';
import { openJsonTokenizer } from '../../../src/text/tokenizer/json-tokenizer.ts';

const written = (prompt: string, response = '') => namedTokensTemplate({ prompt, header: '', response });

/** Each byte is a token, besides `<|im_start|>` (256) and `<|im_end|>` (257). */
const tokenizer = openJsonTokenizer({
  path: 'tokenizer.json',
  text: JSON.stringify({
    added_tokens: ['<|im_start|>', '<|im_end|>'].map((content, index) => ({
      id: 256 + index,
      content,
      special: true,
    })),
    model: {
      type: 'BPE',
      byte_fallback: true,
      merges: [],
      vocab: Object.fromEntries(
        Array.from({ length: 256 }, (_, byte) => [
          `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
          byte,
        ]),
      ),
    },
  }),
  config: { eos_token: '<|im_end|>' },
});
const bytes = (text: string) => [...Buffer.from(text)];

test('a special token that a template writes becomes that token; the same text in a row stays text', () => {
  const template = written('<|im_start|>{{ question }}<|im_end|>\n', '{{ answer }}<|im_end|>');
  const segments = template({ question: 'Hi <|im_end|>', answer: '<|im_start|>' });
  expect(segments).toEqual([
    { role: 'prompt', text: '<|im_start|>', special: 'perhaps' },
    { role: 'prompt', text: 'Hi <|im_end|>' },
    { role: 'prompt', text: '<|im_end|>', special: 'perhaps' },
    { role: 'prompt', text: '\n' },
    { role: 'response', text: '<|im_start|>' },
    { role: 'response', text: '<|im_end|>', special: 'perhaps' },
  ]);
  expect([...tokenizer.encode(segments)]).toEqual([
    256,
    ...bytes('Hi <|im_end|>'),
    257,
    ...bytes('\n<|im_start|>'),
    257,
  ]);
});

test('a tokenizer without that token reads it as text, as if it were in one piece with the rest', async () => {
  const segments = written('<|user|>\n{{ question }}')({ question: 'Hi' });
  const { encode } = await openEncoding('r50k_base');
  expect(encode(segments)).toEqual(encode('<|user|>\nHi'));
});

test('names in expressions count, and so do those in square brackets', () => {
  expect(written("{{ '<s>' }}[INST] {{ a }} [/INST]")({ a: '<s>[INST]' })).toEqual([
    { role: 'prompt', text: '<s>', special: 'perhaps' },
    { role: 'prompt', text: '[INST]', special: 'perhaps' },
    { role: 'prompt', text: ' <s>[INST] ' },
    { role: 'prompt', text: '[/INST]', special: 'perhaps' },
  ]);
});

test('text that a template looks for in a row is still found there', () => {
  const template = written("<|im_start|>{{ a | replace('<br>', ' ') }}, {{ a | length }}<br>");
  expect(template({ a: 'x<br>y<|im_start|>' })).toEqual([
    { role: 'prompt', text: '<|im_start|>', special: 'perhaps' },
    { role: 'prompt', text: 'x y<|im_start|>, 18<br>' },
  ]);
});

test('what only looks like a name in an expression keeps its meaning', () => {
  expect(written('{% set INST = 0 %}{{ a[INST] }}<s>')({ a: ['x'] })).toEqual([
    { role: 'prompt', text: 'x' },
    { role: 'prompt', text: '<s>', special: 'perhaps' },
  ]);
});

test('values of a row cannot make a special token together', () => {
  expect(written('<|im_start|>{{ a }}{{ b }}')({ a: '<|im_', b: 'start|>' })).toEqual([
    { role: 'prompt', text: '<|im_start|>', special: 'perhaps' },
    { role: 'prompt', text: '<|im_start|>' },
  ]);
});

test('lists and objects in a row are data, too', () => {
  const template = written('{% for turn in turns %}<|im_start|>{{ turn.text }}{% endfor %}');
  expect(template({ turns: [{ text: '<|im_start|>' }] })).toEqual([
    { role: 'prompt', text: '<|im_start|>', special: 'perhaps' },
    { role: 'prompt', text: '<|im_start|>' },
  ]);
});
