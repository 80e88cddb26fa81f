import { examplesField } from '../../benchmarks/index.ts';
import { type JsonObject, RandomStream, RecordNotes, RecordProblems, UserError } from '../../core/index.ts';
import type { FormatConfig } from '../../generated/format-config.ts';
import {
  type DataRecord,
  type FormattedRecord,
  perturbations,
  requiredText,
  type Segment,
} from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/port-contents.ts';
import { type FormatRow, rowOf } from './example-format.ts';
import { treesIn } from './message-trees.ts';
import { recordFormat } from './record-format.ts';
import { UnshownReport } from './unshown-report.ts';

export const { run } = implementStage<FormatConfig>()({
  inputs: { records: 'records', shots: 'records?', tokenizer: 'tokenizer?' },
  outputs: { records: 'records' },
  async run({ config, inputs, outputs, part, host }) {
    const note = (message: string) =>
      host.report({
        type: 'note',
        level: 'info',
        message: part === undefined ? message : `${part}: ${message}`,
      });
    const own =
      config.shots !== undefined && inputs.shots === undefined ? await readAll(inputs.records) : undefined;
    const shots = inputs.shots === undefined ? own : await readAll(inputs.shots);
    const { perturb } = config;
    const format = await recordFormat(config, { tokenizer: inputs.tokenizer?.path, shots });
    const problems = new RecordProblems('cannot be written with the template');
    const examples = config.description === undefined ? examplesField(config.template) : undefined;
    let withoutExamples = 0;
    const report = new UnshownReport(config);
    const ends = new RecordNotes();
    const layouts = new Map<string, number>();
    let total = 0;
    for await (const record of own ?? (await treesIn(inputs.records, { config, note }))) {
      const variants =
        perturb === undefined
          ? [record]
          : (problems.collect({ id: record.id }, () => perturbed(record, perturb)) ?? []);
      if (examples !== undefined && !record[examples]) withoutExamples += 1;
      for (const variant of variants) {
        total += 1;
        const formatted = problems.collect({ id: record.id }, () => {
          const row = rowOf(variant);
          const { unshown = [], layout, ...formatted } = format({ id: variant.id, row });
          if (layout !== undefined) layouts.set(layout, (layouts.get(layout) ?? 0) + 1);
          report.add(variant, unshown);
          ends.add(variant.id, endFacts(formatted, inputs.tokenizer !== undefined));
          return written({ id: variant.id, row }, someText(formatted));
        });
        if (formatted !== undefined) await outputs.records.write(formatted);
      }
    }
    problems.throwIfAny();
    if (layouts.size > 0)
      note(
        `read ${[...layouts].map(([words, count]) => `${count} of ${total} records by ${words}`).join('; ')}`,
      );
    if (withoutExamples > 0)
      host.report({
        type: 'note',
        level: 'warning',
        message: `${withoutExamples} records have no \`${examples}\`: these questions are asked without the benchmark's examples`,
      });
    for (const { message, records } of [...report.warnings(total), ...ends.messages(total)])
      host.report({
        type: 'note',
        level: 'warning',
        message: part === undefined ? message : `${part}: ${message}`,
        records,
      });
    return layouts.size === 0 ? {} : { layouts: Object.fromEntries(layouts) };
  },
});

type Formatted = Omit<FormattedRecord, 'id' | 'fields'> & { readonly fields?: JsonObject };

const written = (
  { id, row }: FormatRow,
  {
    segments,
    prompt,
    conversation,
    chat,
    choices,
    shared_characters,
    preference,
    generation,
    fields,
  }: Formatted,
): DataRecord => ({
  id,
  segments: segments.map(plainSegment),
  ...(prompt && { prompt: prompt.map(({ text, special }) => ({ text, ...(special && { special }) })) }),
  ...(conversation && { conversation: { ...conversation } }),
  ...(chat && { chat: { ...chat } }),
  ...(choices && { choices }),
  ...(shared_characters !== undefined && { shared_characters }),
  ...(preference && {
    preference: 'rejected' in preference ? { rejected: preference.rejected.map(plainSegment) } : preference,
  }),
  ...(generation && { generation }),
  fields: fields ?? row,
});

const plainSegment = ({ role, text, special }: Segment) => ({ role, text, ...(special && { special }) });

/** Where a chat's answers end otherwise than with a special token that is learned. */
function endFacts({ segments, chat }: Formatted, hasTokenizer: boolean): readonly string[] {
  if (chat === undefined) return [];
  return segments.flatMap(({ role, text }, index) => {
    const next = segments[index + 1]?.role;
    if (role === 'end_text')
      return [
        hasTokenizer
          ? `the template ends answers with \`${text.trim()}\`, which is no special token of the tokenizer: it is learned as text, at which generate and chat stop; other programs need it as a stop text`
          : `the template ends answers with \`${text.trim()}\`, which is learned as text, as format has no tokenizer: bind the model's to the port \`tokenizer\` if it has that token`,
      ];
    if (role === 'response' && (next === 'prompt' || next === 'tail'))
      return ['the model does not learn where an answer ends: no end of it is learned'];
    return [];
  });
}

function someText(formatted: Formatted): Formatted {
  if (formatted.segments.length > 0) return formatted;
  throw new UserError({ code: 'no-text', message: 'the template writes no text for it' });
}

type Perturbing = NonNullable<FormatConfig['perturb']>;

/** The unchanged record, then one for each kind of perturbation; all have their `instance` and `perturbation`. */
function perturbed(record: DataRecord, { field, kinds, seed }: Perturbing): readonly DataRecord[] {
  const row = rowOf(record);
  const text = requiredText(row, field);
  const common = { ...row, instance: record.id };
  return [
    { id: record.id, ...common, perturbation: 'none' },
    ...kinds.map((kind) => {
      const random = new RandomStream(['perturbation', seed, kind, record.id]);
      const changed = perturbations[kind](text, () => random.uniform());
      return { id: `${record.id}~${kind}`, ...common, [field]: changed, perturbation: kind };
    }),
  ];
}
