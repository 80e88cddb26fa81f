import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExampleFolder, plainDag } from '../example/load-example.ts';

const pipeline = {
  name: 'example',
  params: { epochs: 3, rate: 0.01 },
  stages: {
    base: { uses: 'load', with: { model: { init: 'gpt2', width: 32 } } },
    load: { with: { records: '../data/rows.json' } },
    split: { from: 'load', with: { parts: [{ train: 0.9 }, { test: 'rest' }], seed: 7 } },
    tokenize: { from: { tokenizer: 'base.tokenizer', records: 'split' } },
    train: {
      from: { model: 'base', train: 'tokenize.train' },
      with: { epochs: `\${params.epochs}`, optimizer: { learning_rate: `\${params.rate}` }, shuffle: false },
      retries: 1,
    },
  },
};

/** Unlimited choices for how to write the same file. */
interface Pen {
  readonly choose: (choices: number) => number;
}

function writeMap(map: object, { pen, indent }: { pen: Pen; indent: number }): string {
  const entries = Object.entries(map);
  const shuffled: [string, unknown][] = [];
  while (entries.length > 0) shuffled.push(...entries.splice(pen.choose(entries.length), 1));
  const pad = ' '.repeat(indent);
  return shuffled
    .map(([key, value]) => {
      const comment = pen.choose(3) === 0 ? `${pad}# a remark\n` : '';
      const gap = pen.choose(4) === 0 ? '\n' : '';
      const name = pen.choose(3) === 0 ? JSON.stringify(key) : key;
      return `${gap}${comment}${pad}${name}:${writeValue(value, { pen, indent })}`;
    })
    .join('');
}

function writeValue(value: unknown, { pen, indent }: { pen: Pen; indent: number }): string {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isMap && pen.choose(4) > 0) return `\n${writeMap(value, { pen, indent: indent + 1 + pen.choose(4) })}`;
  return `${' '.repeat(1 + pen.choose(3))}${JSON.stringify(value)}${pen.choose(3) === 0 ? ' # why' : ''}\n`;
}

test('map order, comments, quotes and white space never change the graph', async () => {
  await using folder = await ExampleFolder.open();
  const expected = plainDag(await folder.dag(JSON.stringify(pipeline)), folder.path);
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat()), async (stream) => {
      const pen: Pen = { choose: (choices) => (stream.next().value ?? 0) % choices };
      const yaml = writeMap(pipeline, { pen, indent: 0 });
      expect(plainDag(await folder.dag(yaml), folder.path)).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});
