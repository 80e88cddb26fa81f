import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { stageSchemas } from '../../src/generated/stage-schemas.ts';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { fillDefaults } from '../../src/runtime/config/schema/applicable-schemas.ts';
import * as collate from '../../src/stages/collate/run-collate.ts';
import * as format from '../../src/stages/format/run-format.ts';
import { portCodecs } from '../../src/stages/ports/port-codecs.ts';
import * as tokenize from '../../src/stages/tokenize/run-tokenize.ts';
import type { Batches } from '../../src/training/batches/batch-plan.ts';
import { openStageRig, type StageRig } from '../stages/stage-rig.ts';

export const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);

const filled = (stage: 'format' | 'collate' | 'train', config: JsonObject): JsonObject =>
  fillDefaults(stageSchemas[stage].schema, config);

/** The configuration of `train` with its defaults. */
export const trainConfig = (config: JsonObject): TrainConfig =>
  filled('train', config) as unknown as TrainConfig;

interface PreferenceRig extends Pick<StageRig, 'reports' | 'readRecords' | 'path'>, AsyncDisposable {
  /** Takes rows through format, tokenize and collate, with the tokenizer of a model. */
  readonly batches: (rows: readonly JsonObject[], given: Given) => Promise<Batches>;
}

interface Given {
  /** A folder of tests/fixtures. */
  readonly model: string;
  readonly format: JsonObject;
  readonly collate?: JsonObject;
}

export async function openPreferenceRig(): Promise<PreferenceRig> {
  const rig = await openStageRig();
  let count = 0;
  return {
    ...rig,
    batches: async (rows, { model, format: formatting, collate: collation = {} }) => {
      count += 1;
      const name = (file: string) => `${file}-${count}`;
      const tokenizer = name('tokenizer');
      await cp(fixture(model), rig.path(tokenizer), { recursive: true });
      const records = rows.map((row, index): Json => ({ id: `row-${index}`, ...row }));
      await rig.writeRecords(name('rows'), records);
      const needsTokenizer = formatting.template === 'chat' || formatting.apply_chat_template === true;
      await rig.run(format, {
        config: filled('format', formatting),
        inputs: { records: name('rows'), ...(needsTokenizer && { tokenizer }) },
        outputs: { records: name('formatted') },
      });
      await rig.run(tokenize, {
        config: { bos: 'auto' },
        inputs: { records: name('formatted'), tokenizer },
        outputs: { tokens: name('tokens') },
      });
      await rig.run(collate, {
        config: filled('collate', collation),
        inputs: { tokens: name('tokens') },
        outputs: { batches: name('batches') },
      });
      return await portCodecs.batches.read(rig.path(name('batches'))).read();
    },
  };
}
