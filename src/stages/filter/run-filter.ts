import { RecordProblems } from '../../core/index.ts';
import type { FilterConfig } from '../../generated/filter-config.ts';
import { openEncoding, openTokenizer, type Tokenizer } from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/port-contents.ts';
import { type Breach, openRule } from './rules.ts';
import { UnseenFields } from './unseen-fields.ts';

export const { run } = implementStage<FilterConfig>()({
  inputs: { records: 'records', against: 'records?', tokenizer: 'tokenizer?' },
  outputs: { records: 'records', dropped: 'records' },
  async run({ config, inputs, outputs, part, host }) {
    const tokenizer = await tokenizerOf(config, inputs.tokenizer?.path);
    const against = inputs.against === undefined ? [] : await readAll(inputs.against);
    const countTokens = (text: string) => tokenizer?.encode(text).length ?? 0;
    const rules = config.rules.map((rule) => openRule(rule, { countTokens, against }));
    const counts = new Map<string, number>(rules.map(({ name }) => [name, 0]));
    const problems = new RecordProblems('cannot be judged by the rules');
    const unseen = new UnseenFields(config.rules);
    let kept = 0;
    let total = 0;
    for await (const record of inputs.records) {
      total += 1;
      unseen.see(record);
      const dropped = problems.collect({ id: record.id }, () => {
        for (const { name, breach } of rules) {
          const found = breach(record);
          if (found !== undefined) return { name, found };
        }
        return 'kept';
      });
      if (dropped === undefined) continue;
      if (dropped === 'kept') {
        kept += 1;
        await outputs.records.write(record);
        continue;
      }
      const { name, found } = dropped satisfies { readonly name: string; readonly found: Breach };
      counts.set(name, (counts.get(name) ?? 0) + 1);
      await outputs.dropped.write({ ...record, dropped_by: name, ...found });
    }
    problems.throwIfAny();
    const message = report({ total, kept, counts });
    const level = kept === 0 && total > 0 ? 'warning' : 'info';
    for (const warning of unseen.warnings())
      host.report({
        type: 'note',
        level: 'warning',
        message: part === undefined ? warning : `${part}: ${warning}`,
      });
    host.report({ type: 'note', level, message: part === undefined ? message : `${part}: ${message}` });
    return { kept, dropped: Object.fromEntries(counts) };
  },
});

async function tokenizerOf(
  { encoding }: FilterConfig,
  folder: string | undefined,
): Promise<Tokenizer | undefined> {
  if (encoding !== undefined) return openEncoding(encoding);
  return folder === undefined ? undefined : openTokenizer(folder);
}

function report({
  total,
  kept,
  counts,
}: {
  readonly total: number;
  readonly kept: number;
  readonly counts: ReadonlyMap<string, number>;
}): string {
  const dropping = [...counts].filter(([, count]) => count > 0);
  const reasons = dropping.map(([name, count]) => `${count} by \`${name}\``).join(', ');
  return `kept ${kept} of ${total} records${reasons === '' ? '' : `; dropped ${reasons}`}`;
}
