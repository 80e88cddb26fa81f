import type { PairConfig } from '../../generated/pair-config.ts';
import type { DataRecord } from '../../text/record.ts';
import { UserError } from '../../user-error.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/read-all.ts';
import type { ResponseRecord } from '../ports/response-record.ts';
import { RecordProblems } from '../record-problems.ts';

export const { run } = implementStage<PairConfig>()({
  inputs: { first: 'responses', second: 'responses' },
  outputs: { records: 'records' },
  async run({ config, inputs, outputs }) {
    const second = new Map((await readAll(inputs.second)).map((response) => [response.id, response]));
    const problems = new RecordProblems('have no counterpart among the second answers');
    const pairs = (await readAll(inputs.first)).flatMap(
      (first) =>
        problems.collect({ id: first.id }, () => ({ first, second: counterpart(first, second) })) ?? [],
    );
    problems.throwIfAny();
    for (const pair of pairs) {
      await outputs.records.write(recordOf(pair, 'first'));
      if (config.orders === 'both') await outputs.records.write(recordOf(pair, 'second'));
    }
  },
});

interface Pair {
  readonly first: ResponseRecord;
  readonly second: ResponseRecord;
}

function counterpart(
  first: ResponseRecord,
  second: ReadonlyMap<string, ResponseRecord>,
): ResponseRecord & { readonly response: string } {
  const other = second.get(first.id);
  const problem =
    other === undefined
      ? 'the second model has no answer with its id'
      : other.prompt !== first.prompt
        ? 'the second model was given another prompt'
        : undefined;
  if (other?.response !== undefined && first.response !== undefined && problem === undefined)
    return { ...other, response: other.response };
  throw new UserError({
    code: 'no-counterpart',
    message: problem ?? 'one of the two was rated, not answered',
    help: 'let both generate stages answer the same records, with `mode: text`',
  });
}

function recordOf({ first, second }: Pair, shownFirst: 'first' | 'second'): DataRecord {
  const { id, prompt, expected, fields, response = '' } = first;
  const answers = [response, second.response ?? ''];
  const [a = '', b = ''] = shownFirst === 'first' ? answers : answers.toReversed();
  return {
    ...fields,
    id: `${id}/${shownFirst}`,
    prompt,
    expected,
    answer_a: a,
    answer_b: b,
    pair: id,
    shown_first: shownFirst,
  };
}
