import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UserError } from '../../src/core/user-error.ts';
import { openGguf } from '../../src/formats/gguf/open-gguf.ts';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';
import { openShards } from '../../src/model/folder/open-shards.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model', name);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'malformed-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** More than any of these small files could need. */
const mostGrowth = 200_000_000;

/** Runs something often; all runs together must stay below the memory limit. */
async function withinMemory(run: () => Promise<void>): Promise<void> {
  const before = process.memoryUsage().rss;
  await run();
  expect(process.memoryUsage().rss - before).toBeLessThan(mostGrowth);
}

const extent = fc.oneof(fc.nat(4), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 40, 2 ** 53, 1e300, null, 'a'));
const entry = fc.record({
  dtype: fc.constantFrom('F32', 'F16', 'BF16', 'I64', 'BOOL', 'F31', 4, null),
  shape: fc.oneof(fc.array(extent, { maxLength: 3 }), fc.constant(4)),
  data_offsets: fc.array(fc.oneof(fc.nat(40), extent), { minLength: 1, maxLength: 3 }),
});
const header = fc.oneof(
  { weight: 4, arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', '__metadata__'), entry) },
  { weight: 1, arbitrary: fc.json() },
);

test('whatever a safetensors header says, the file opens and all of it can be read, or there is a user error', async () => {
  const path = join(folder, 'model.safetensors');
  await withinMemory(() =>
    fc.assert(
      fc.asyncProperty(
        header,
        fc.nat(40),
        fc.option(fc.bigInt(0n, 2n ** 64n - 1n)),
        async (said, bytes, length) => {
          const json = Buffer.from(typeof said === 'string' ? said : JSON.stringify(said));
          const prefix = Buffer.alloc(8);
          prefix.writeBigUInt64LE(length ?? BigInt(json.length));
          await writeFile(path, Buffer.concat([prefix, json, Buffer.alloc(bytes)]));
          await readSafetensors(path).catch(isForUser);
        },
      ),
      { numRuns: 1000, seed: 7 },
    ),
  );
});

test('tensors that tile the data in any order are read; one byte more or less is an error', async () => {
  const path = join(folder, 'model.safetensors');
  const tensors = fc.array(
    fc.tuple(fc.constantFrom('F32', 'F16', 'BF16'), fc.array(fc.nat(3), { maxLength: 3 })),
  );
  await fc.assert(
    fc.asyncProperty(tensors, fc.constantFrom(-1, 0, 1), async (all, off) => {
      let end = 0;
      const entries = all.map(([dtype, shape], index) => {
        const begin = end;
        end += shape.reduce((count, each) => count * each, dtype === 'F32' ? 4 : 2);
        return [`t${index}`, { dtype, shape, data_offsets: [begin, end] }];
      });
      const json = Buffer.from(JSON.stringify(Object.fromEntries(entries.reverse())));
      const prefix = Buffer.alloc(8);
      prefix.writeBigUInt64LE(BigInt(json.length));
      await writeFile(path, Buffer.concat([prefix, json, Buffer.alloc(Math.max(0, end + off))]));
      const isWhole = Math.max(0, end + off) === end;
      const outcome = await readSafetensors(path).then(
        () => true,
        (error) => {
          isForUser(error);
          return false;
        },
      );
      expect(outcome).toBe(isWhole);
    }),
    { numRuns: 300, seed: 8 },
  );
});

test('whatever is written over a GGUF file, it opens and all of it can be read, or there is a user error', async () => {
  const bytes = await readFile(fixture('gguf/blocks.gguf'));
  const path = join(folder, 'model.gguf');
  const number = fc.constantFrom(
    0n,
    1n,
    2n,
    31n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  );
  const change = fc.record({ at: fc.nat(Math.min(bytes.length - 8, 3000)), number, wide: fc.boolean() });
  const cut = fc.option(fc.nat(bytes.length), { freq: 4 });
  await withinMemory(() =>
    fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), cut, async (changes, length) => {
        const damaged = Buffer.from(bytes);
        for (const { at, number, wide } of changes)
          if (wide) damaged.writeBigUInt64LE(number, at);
          else damaged.writeUInt32LE(Number(number % 2n ** 32n), at);
        await writeFile(path, damaged.subarray(0, length ?? undefined));
        await readGguf(path).catch(isForUser);
      }),
      { numRuns: 400, seed: 9 },
    ),
  );
});

test('a header of a million empty lists is refused before they are made', async () => {
  const path = join(folder, 'model.safetensors');
  const json = Buffer.from(`{"a":[${'[],'.repeat(1_000_000)}[]]}`);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  await writeFile(path, Buffer.concat([prefix, json]));
  await expect(openSafetensors(path)).rejects.toThrow(
    'its header has 1000003 lists and maps, more than the 1000000 allowed',
  );
});

test.each([
  ['../model.safetensors'],
  ['/etc/passwd'],
  ['..'],
  ['..\\model.safetensors'],
  ['config.json'],
  [4],
])('an index that names %j is refused', async (name) => {
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: { a: name } }));
  await expect(openShards(folder)).rejects.toThrow(
    'the name of a .safetensors file without a folder is needed',
  );
});

test('a tensor that is in two shards is refused', async () => {
  for (const name of ['a.safetensors', 'b.safetensors'])
    await writeFile(join(folder, name), await readFile(fixture('mixed.safetensors')));
  const weight_map = { weight: 'a.safetensors', half: 'b.safetensors' };
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map }));
  await expect(openShards(folder)).rejects.toThrow(`in both ${join(folder, 'a.safetensors')} and`);
});

async function readSafetensors(path: string): Promise<void> {
  await using file = await openSafetensors(path);
  for (const [name, { dtype, shape }] of file.tensors) {
    if (!['F32', 'F16', 'BF16'].includes(dtype)) continue;
    const count = shape.reduce((product, each) => product * each, 1);
    expect((await file.readFloat32(name)).length).toBe(count);
  }
}

async function readGguf(path: string): Promise<void> {
  await using file = await openGguf(path);
  for (const [name, { shape }] of file.tensors)
    expect((await file.read(name)).length).toBe(shape.reduce((product, each) => product * each, 1));
}

const isForUser = (error: unknown) => expect(error).toBeInstanceOf(UserError);
