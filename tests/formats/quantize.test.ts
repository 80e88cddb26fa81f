import { join } from 'node:path';
import { expect, test } from 'vitest';
import { quantize } from '../../src/formats/gguf/quantize.ts';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';

const fixture = join(import.meta.dirname, '../fixtures/model/gguf/quantized.safetensors');

test.each(['BF16', 'Q4_0', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'] as const)(
  'values are stored in %s as llama.cpp stores them, bit for bit',
  async (format) => {
    await using file = await openSafetensors(fixture);
    const expected = await file.readUint8(format);
    const [columns = 0] = file.tensors.get('values')?.shape.slice(1) ?? [];
    const values = await file.readFloat32('values');
    const packed = quantize(format, values);
    const rowBytes = (packed.length * columns) / values.length;
    const differing: number[] = [];
    for (let row = 0; row * rowBytes < packed.length; row++)
      if (
        Buffer.compare(
          packed.subarray(row * rowBytes, (row + 1) * rowBytes),
          expected.subarray(row * rowBytes, (row + 1) * rowBytes),
        ) !== 0
      )
        differing.push(row);
    expect(differing).toEqual([]);
  },
);
