import type { FormatConfig } from '../../generated/format-config.ts';
import type { JsonObject } from '../../json.ts';
import type { Segment } from '../../text/formatted-record.ts';
import { isObject } from '../../text/parse-record.ts';
import type { DataRecord } from '../../text/record.ts';
import { jinjaTemplate } from '../../text/template/jinja-template.ts';
import { namedTemplates } from '../../text/template/named-templates.ts';
import { UserError } from '../../user-error.ts';
import { implementStage } from '../implement-stage.ts';
import { RecordProblems } from '../record-problems.ts';

export const { run } = implementStage<FormatConfig>()({
  inputs: { records: 'records' },
  outputs: { records: 'records' },
  async run({ config, inputs, outputs }) {
    const { template } = config;
    const format = typeof template === 'string' ? namedTemplates[template] : jinjaTemplate(template);
    const problems = new RecordProblems('cannot be written with the template');
    for await (const record of inputs.records) {
      const fields = rowOf(record);
      const segments = problems.collect({ id: record.id }, () => someText(format(fields)));
      if (segments === undefined) continue;
      await outputs.records.write({
        id: record.id,
        segments: segments.map((segment) => ({ ...segment })),
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
