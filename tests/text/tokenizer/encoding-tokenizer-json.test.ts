import { expect, test } from 'vitest';
import { openEncoding } from '../../../src/text/tokenizer/encoding-tokenizer.ts';
import { byteAlphabet, encodingTokenizerJson } from '../../../src/text/tokenizer/encoding-tokenizer-json.ts';
import { openJsonTokenizer } from '../../../src/text/tokenizer/json-tokenizer.ts';

const texts = [
  "Below is an instruction. It's 1,234 naïve 日本 🙂🏽\n\n### Response:\n  two  spaces",
  "WE'LL we'll don't ' s\t\ttabs\r\nlines \n \n end   ",
  '   \n\n  \u00a0\u2003x\u0301 ﷽ Ǆ ǅ 0123456789 ½ ٣',
  'function f(a) {\n    return a ?? [];\n}\n// ===== -----',
];

test.each(['r50k_base', 'cl100k_base'] as const)(
  "%s as a tokenizer.json splits texts into the encoding's own tokens",
  async (name) => {
    const encoding = await openEncoding(name);
    const text = JSON.stringify(await encodingTokenizerJson(name));
    const config = { eos_token: '<|endoftext|>' };
    const written = openJsonTokenizer({ path: 'tokenizer.json', text, config });
    for (const each of texts) {
      expect(written.encode(each)).toEqual(encoding.encode(each));
      expect(written.decode(written.encode(each))).toBe(each);
    }
    expect(written.endOfText).toBe(encoding.endOfText);
  },
);

test("GPT-2's has the 50,000 merges of its merges.txt, whose first three are these", async () => {
  const { model } = await encodingTokenizerJson('r50k_base');
  expect(model).toMatchObject({ merges: expect.arrayContaining(['Ġ t', 'Ġ a', 'h e']) });
  const merges = (model as { merges: string[] }).merges;
  expect([merges.length, ...merges.slice(0, 3)]).toEqual([50_000, 'Ġ t', 'Ġ a', 'h e']);
  expect(new Set(byteAlphabet).size).toBe(256);
});
