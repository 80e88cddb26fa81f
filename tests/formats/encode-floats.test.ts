import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  decodeBfloat16,
  decodeFloat16,
  encodeBfloat16,
  encodeFloat16,
} from '../../src/formats/safetensors/floats.ts';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';

const fixture = join(import.meta.dirname, '../fixtures/model/rounding.safetensors');

test('float32 is rounded to 16 bits as in PyTorch, including ties, subnormal and too large numbers', async () => {
  await using file = await openSafetensors(fixture);
  const values = await file.readFloat32('float32');
  expect(decodeFloat16(encodeFloat16(values))).toEqual(await file.readFloat32('float16'));
  expect(decodeBfloat16(encodeBfloat16(values))).toEqual(await file.readFloat32('bfloat16'));
});

test.each([
  ['float16', decodeFloat16, encodeFloat16],
  ['bfloat16', decodeBfloat16, encodeBfloat16],
])('every number of %s comes back as it is, and what is none stays none', (_name, decode, encode) => {
  const all = decode(Uint16Array.from({ length: 65536 }, (_, bits) => bits));
  expect(decode(encode(all))).toEqual(all);
});
