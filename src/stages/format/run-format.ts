import type { FormatConfig } from '../../generated/format-config.ts';
import type { JsonObject } from '../../json.ts';
import type { Segment } from '../../text/formatted-record.ts';
import { isObject } from '../../text/parse-record.ts';
import type { DataRecord } from '../../text/record.ts';
import { UserError } from '../../user-error.ts';
import { implementStage } from '../implement-stage.ts';
import { RecordProblems } from '../record-problems.ts';
import { recordFormat } from './record-format.ts';

export const { run } = implementStage<FormatConfig>()({
  inputs: { records: 'records', tokenizer: 'tokenizer?' },
  outputs: { records: 'records' },
  async run({ config, inputs, outputs }) {
    const format = await recordFormat(config, inputs.tokenizer?.path);
    const problems = new RecordProblems('cannot be written with the template');
    for await (const record of inputs.records) {
      const fields = rowOf(record);
      const segments = problems.collect({ id: record.id }, () => someText(format(fields)));
      if (segments === undefined) continue;
      await outputs.records.write({
        id: record.id,
        segments: segments.map(({ role, text, special }) => ({ role, text, ...(special && { special }) })),
        fields,
      });
    }
    problems.throwIfAny();
  },
});

function someText(segments: readonly Segment[]): readonly Segment[] {
  if (segments.length > 0) return segments;
  throw new UserError({ code: 'no-text', message: 'the template writes no text at all for it' });
}

/** What a template can write: the record's fields and, for a response, those of the row that its prompt was made from. */
function rowOf({ id: _, fields, segments: __, ...own }: DataRecord): JsonObject {
  return isObject(fields) ? { ...fields, ...own } : { ...own, ...(fields === undefined ? {} : { fields }) };
}
