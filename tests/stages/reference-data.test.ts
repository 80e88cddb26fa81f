import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as collate from '../../src/stages/collate/run-collate.ts';
import * as format from '../../src/stages/format/run-format.ts';
import * as load from '../../src/stages/load/run-load.ts';
import { portCodecs } from '../../src/stages/ports/port-codecs.ts';
import * as split from '../../src/stages/split/run-split.ts';
import * as tokenize from '../../src/stages/tokenize/run-tokenize.ts';
import { type DataRecord, namedTexts, parseFormattedRecord } from '../../src/text/records.ts';
import { openEncoding } from '../../src/text/tokenizer/encoding-tokenizer.ts';
import { type BatchItem, batchesOf, textsOf } from '../../src/training/batches/batch-plan.ts';
import { padBatch } from '../../src/training/batches/micro-batch.ts';
import { openStageRig, type StageRig } from './stage-rig.ts';

const data = fileURLToPath(new URL('../../../shared/data/rasbt/instruction-data.json', import.meta.url));
const isThere = existsSync(data);
const names = ['train', 'test', 'validation'] as const;
type Name = (typeof names)[number];
const files = (prefix: string) => Object.fromEntries(names.map((name) => [name, `${prefix}-${name}`]));

/** The reference's masks and batches, in file order. */
const collation = {
  batch_size: 8,
  max_length: 1024,
  too_long: 'error',
  train_on: 'all',
  packing: false,
  shuffle: false,
  drop_last: false,
  seed: 0,
  expect: { trained_token_in_every_example: true, minimum_examples: 55 },
};

describe.skipIf(!isThere)(
  `the reference experiment's data${isThere ? '' : ' (skipped: shared/data is absent)'}`,
  () => {
    let rig: StageRig;

    beforeAll(async () => {
      rig = await openStageRig();
      const parts = [{ train: 0.85 }, { test: 0.1 }, { validation: 'rest' }];
      await rig.run(load, { config: { records: data, type: 'auto' }, outputs: { records: 'loaded' } });
      const template = {
        template: 'alpaca',
        conversation: { roles: {} },
        ignore: [],
        expect: { everything_shown: false },
      };
      await rig.run(format, {
        config: template,
        inputs: { records: 'loaded' },
        outputs: { records: 'formatted' },
      });
      await rig.run(split, {
        config: { by: 'order', parts, seed: 0, drop_leaks: false },
        inputs: { records: 'formatted' },
        outputs: { records: files('split') },
      });
      await rig.run(tokenize, {
        config: { encoding: 'r50k_base' },
        inputs: { records: files('split') },
        outputs: { tokens: files('tokens') },
      });
      await rig.run(collate, {
        config: collation,
        inputs: { tokens: files('tokens') },
        outputs: { batches: files('batches') },
      });
    });
    afterAll(() => rig[Symbol.asyncDispose]());

    const tokensOf = async (name: Name) =>
      namedTexts(await portCodecs.tokens.read(rig.path(`tokens-${name}`)).read());
    const allTokens = async () => (await Promise.all(names.map(tokensOf))).flat();
    const widthsOf = async (name: Name) => {
      const batches = await portCodecs.batches.read(rig.path(`batches-${name}`)).read();
      return batchesOf<BatchItem>({ ...batches, epoch: 1 }).map(
        (group) => padBatch(group.flatMap(textsOf), batches).length,
      );
    };

    test('1100 rows, 775 of them without input, 25 with the instruction and input of an earlier one', async () => {
      const rows = (await rig.readRecords('loaded')) as { id: string; instruction: string; input: string }[];
      const asked = new Set(rows.map(({ instruction, input }) => JSON.stringify([instruction, input])));
      expect({
        rows: rows.length,
        ids: new Set(rows.map(({ id }) => id)).size,
        withoutInput: rows.filter(({ input }) => input === '').length,
        repeated: rows.length - asked.size,
      }).toEqual({ rows: 1100, ids: 1100, withoutInput: 775, repeated: 25 });
    });

    test('the split is 935, 110 and 55, and 2 test and 4 validation entries are also in train', async () => {
      const sizes = await Promise.all(
        names.map(async (name) => (await rig.readRecords(`split-${name}`)).length),
      );
      expect(sizes).toEqual([935, 110, 55]);
      expect(rig.reports[0]).toEqual({
        type: 'note',
        level: 'warning',
        message:
          '2 of 110 records in `test` are also in `train`; 4 of 55 records in `validation` are also in `train`' +
          ' (`drop_leaks: true` leaves them out)',
      });
    });

    test('token totals are 52,760, 6,149 and 3,116, a text has 40 to 91 tokens', async () => {
      const totals = await Promise.all(
        names.map(async (name) => (await tokensOf(name)).reduce((sum, { tokens }) => sum + tokens.length, 0)),
      );
      const lengths = (await allTokens()).map(({ tokens }) => tokens.length);
      expect({ totals, shortest: Math.min(...lengths), longest: Math.max(...lengths) }).toEqual({
        totals: [52760, 6149, 3116],
        shortest: 40,
        longest: 91,
      });
    });

    test("the prompt's ids are a true prefix of the whole text's in 1100 of 1100", async () => {
      const tokenizer = await openEncoding('r50k_base');
      const formatted = (await rig.readRecords('formatted')) as DataRecord[];
      const tokenized = await allTokens();
      const prefixes = formatted.filter((record, index) => {
        const prompt = tokenizer.encode(parseFormattedRecord(record).segments[0]?.text ?? '');
        const { tokens, segments } = tokenized[index] ?? { tokens: new Int32Array(), segments: [] };
        return segments[0]?.end === prompt.length && prompt.every((token, place) => token === tokens[place]);
      });
      expect(prefixes).toHaveLength(1100);
    });

    test('padded widths at batch size 8 are the reference’s', async () => {
      expect(await widthsOf('validation')).toEqual([74, 76, 74, 68, 61, 62, 59]);
      expect(await widthsOf('test')).toEqual([64, 83, 62, 58, 66, 63, 69, 67, 72, 73, 68, 65, 85, 76]);
    });
  },
);
