import type { LoadConfig } from '../../generated/load-config.ts';
import type { DataRecord } from '../../text/record.ts';
import { implementStage } from '../implement-stage.ts';
import type { Sink } from '../ports/port-contents.ts';
import { initializeModel } from './initialize-model.ts';
import { loadModel } from './load-model.ts';
import { readRecords } from './read-records.ts';

export const { run } = implementStage<LoadConfig>()({
  inputs: {},
  outputs: { records: 'records?', model: 'model?', tokenizer: 'tokenizer?' },
  async run({ config, outputs }) {
    const { records, model: source, untie_head: untieHead, init } = config;
    const { model, tokenizer } = outputs;
    if (records !== undefined && outputs.records)
      return writeRecords({ ...config, records }, outputs.records);
    if (source !== undefined && model) return loadModel({ source, untieHead, model, tokenizer });
    if (init && model && tokenizer) return initializeModel(init, { model, tokenizer });
    throw new Error('the action’s outputs are not those that its configuration declares');
  },
});

async function writeRecords(
  config: LoadConfig & { readonly records: string },
  sink: Sink<DataRecord>,
): Promise<void> {
  for await (const { record } of readRecords(config)) await sink.write(record);
}
