import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../../src/formats/safetensors/write-safetensors.ts';
import mixed from '../fixtures/model/mixed.json' with { type: 'json' };

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model', name);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The tensors of writable.safetensors, in another order. */
const writable: readonly TensorToWrite[] = [
  { name: 'ids', dtype: 'I32', shape: [3], read: () => Int32Array.from(mixed.ids) },
  { name: 'scalar', dtype: 'F32', shape: [], read: () => Float32Array.from(mixed.scalar) },
  { name: 'roles', dtype: 'U8', shape: [3], read: async () => Uint8Array.from(mixed.roles) },
  { name: 'weight', dtype: 'F32', shape: [2, 3], read: async () => Float32Array.from(mixed.weight) },
  { name: 'empty', dtype: 'F32', shape: [0, 4], read: () => new Float32Array() },
  { name: 'offsets', dtype: 'I64', shape: [1, 2], read: () => BigInt64Array.from(mixed.offsets, BigInt) },
];

describe('a safetensors file', () => {
  test('written by Python reads as the same values, types and shapes', async () => {
    await using file = await openSafetensors(fixture('mixed.safetensors'));
    const floats = async (name: string) => [...(await file.readFloat32(name))];
    expect({
      weight: await floats('weight'),
      half: await floats('half'),
      brain: await floats('brain'),
      ids: [...(await file.readInt32('ids'))],
      offsets: [...(await file.readBigInt64('offsets'))].map(String),
      roles: [...(await file.readUint8('roles'))],
      empty: await floats('empty'),
      scalar: await floats('scalar'),
    }).toEqual(mixed);
    expect(file.metadata).toEqual({ format: 'pt' });
    expect(file.tensors.get('weight')).toMatchObject({ dtype: 'F32', shape: [2, 3] });
  });

  test("has the bytes that Python's safetensors writes, in whatever order its tensors are given", async () => {
    const path = join(folder, 'written.safetensors');
    await writeSafetensors(path, { tensors: writable, metadata: { format: 'pt' } });
    expect(await readFile(path)).toEqual(await readFile(fixture('writable.safetensors')));
    await writeSafetensors(path, { tensors: [...writable].reverse(), metadata: { format: 'pt' } });
    expect(await readFile(path)).toEqual(await readFile(fixture('writable.safetensors')));
  });

  test('is not written if a tensor has more elements than its shape, or a name occurs twice', async () => {
    const tensor: TensorToWrite = { name: 'a', dtype: 'I32', shape: [2], read: () => new Int32Array(3) };
    const path = join(folder, 'wrong.safetensors');
    await expect(writeSafetensors(path, { tensors: [tensor] })).rejects.toThrow(
      'tensor a has 3 elements, not [2]',
    );
    await expect(writeSafetensors(path, { tensors: [tensor, tensor] })).rejects.toThrow(
      'two tensors have the name a',
    );
  });

  test('says which tensor is missing or does not have the requested type', async () => {
    const path = fixture('mixed.safetensors');
    await using file = await openSafetensors(path);
    await expect(file.readFloat32('lost')).rejects.toThrow(`${path} has no tensor \`lost\``);
    await expect(file.readInt32('offsets')).rejects.toThrow(
      `tensor \`offsets\` of ${path} has the type I64; I32 can be read here`,
    );
  });
});

const entry = (dtype: string, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });

describe('a broken safetensors file is refused before any tensor is read', () => {
  const cases: readonly (readonly [string, unknown, number, string])[] = [
    ['a header that is not JSON', '{"a":', 0, 'its header is not JSON'],
    ['a header that is a list', [], 0, 'its header is not a JSON object'],
    ['an unknown type', { a: entry('F31', [1], [0, 4]) }, 4, 'tensor `a` has the unknown type "F31"'],
    ['a negative extent', { a: entry('F32', [-1], [0, 4]) }, 4, 'tensor `a` has the shape [-1]'],
    [
      'a size that is not its shape',
      { a: entry('F32', [2], [0, 4]) },
      4,
      'tensor `a` has 4 bytes where F32 [2] takes 8',
    ],
    [
      'a shape beyond any file',
      { a: entry('F32', [2 ** 40, 2 ** 40], [0, 4]) },
      4,
      'tensor `a` has 4 bytes where F32 [1099511627776, 1099511627776] takes 4.835703278458517e+24',
    ],
    [
      'an overlap',
      { a: entry('F32', [1], [0, 4]), b: entry('F32', [1], [2, 6]) },
      6,
      'tensor `b` starts at byte 2 of the data instead of 4',
    ],
    [
      'a hole',
      { a: entry('F32', [1], [0, 4]), b: entry('F32', [1], [8, 12]) },
      12,
      'tensor `b` starts at byte 8 of the data instead of 4',
    ],
    ['a cut end', { a: entry('F32', [2], [0, 8]) }, 5, 'its tensors take 8 bytes, but 5 follow the header'],
    ['metadata of numbers', { __metadata__: { a: 1 } }, 0, 'the metadata `a` is not a string'],
  ];
  test.each(cases)('%s', async (_title, header, dataBytes, problem) => {
    const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const path = join(folder, 'broken.safetensors');
    await writeFile(path, Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
    await expect(openSafetensors(path)).rejects.toThrow(
      `${path} is not a valid safetensors file: ${problem}`,
    );
  });

  test('a header length beyond the file or beyond 100 MB takes no memory', async () => {
    const path = join(folder, 'broken.safetensors');
    await writeFile(path, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 123]));
    await expect(openSafetensors(path)).rejects.toThrow(
      'its header claims 72057594037927936 bytes; at most 100 MB are allowed',
    );
    await writeFile(path, Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 123]));
    await expect(openSafetensors(path)).rejects.toThrow('its header claims 200 bytes, but the file has 9');
    await writeFile(path, 'short');
    await expect(openSafetensors(path)).rejects.toThrow('it has only 5 bytes');
  });
});
