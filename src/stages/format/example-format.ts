import type { FormatConfig } from '../../generated/format-config.ts';
import { RandomStream } from '../../model/random-stream.ts';
import type { Example, ExampleTemplate } from '../../text/benchmark/example-template.ts';
import { withShots } from '../../text/benchmark/few-shots.ts';
import { tokenBudget } from '../../text/benchmark/token-budget.ts';
import type { DataRecord } from '../../text/record.ts';
import { openTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { UserError } from '../../user-error.ts';
import type { FormatInputs, RecordFormat } from './record-format.ts';
import { rowOf } from './row-of.ts';

type Shots = NonNullable<FormatConfig['shots']>;

/** Writes each record as a question after its shots. */
export async function exampleFormat(
  { shots }: Pick<FormatConfig, 'shots'>,
  { template, tokenizer: folder, shots: sources = [] }: FormatInputs & { readonly template: ExampleTemplate },
): Promise<RecordFormat> {
  const tokenizer = folder === undefined ? undefined : await openTokenizer(folder);
  const most = shots?.fit_tokens;
  const fits = tokenizer && most !== undefined ? tokenBudget(tokenizer, most) : () => true;
  const groups = shots === undefined ? undefined : groupedExamples(sources, template);
  return (record) => {
    const row = rowOf(record);
    const example = template.write(row);
    const others = (groups?.get(template.group?.(row) ?? '') ?? []).filter(
      ({ prompt }) => prompt !== example.prompt,
    );
    const picked = shots === undefined ? [] : pick(others, { shots, id: record.id });
    const written = withShots({ template, row, example, shots: picked, fits });
    const isShared = written.shots > 0 && shots?.pick !== 'random';
    return {
      segments: written.segments,
      ...(written.choices && { choices: written.choices }),
      ...(isShared && { shared_characters: written.sharedCharacters }),
    };
  };
}

function groupedExamples(
  records: readonly DataRecord[],
  template: ExampleTemplate,
): ReadonlyMap<string, readonly Example[]> {
  const groups = new Map<string, Example[]>();
  for (const record of records) {
    const row = rowOf(record);
    const group = template.group?.(row) ?? '';
    const example = template.write(row);
    if (example.response === '')
      throw new UserError({
        code: 'shot-without-answer',
        message: `the record ${record.id} cannot be a shot: it has no answer`,
        help: 'give the template a `response`, or take other records for the port `shots`',
      });
    const examples = groups.get(group);
    if (examples === undefined) groups.set(group, [example]);
    else examples.push(example);
  }
  return groups;
}

/** The shots of one question, in the order in which they will stand. */
function pick(
  examples: readonly Example[],
  { shots, id }: { readonly shots: Shots; readonly id: string },
): readonly Example[] {
  if (shots.pick === 'first') return examples.slice(0, shots.count);
  const random = new RandomStream(['shots', shots.seed, id]);
  const left = [...examples];
  return Array.from({ length: Math.min(shots.count, left.length) }, () =>
    left.splice(Math.floor(random.uniform() * left.length), 1),
  ).flat();
}
