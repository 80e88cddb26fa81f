import { nameRecords, RandomStream, RecordProblems, UserError } from '../../core/index.ts';
import type { PairConfig } from '../../generated/pair-config.ts';
import { type DataRecord, parseResponse, type ResponseRecord } from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/port-contents.ts';
import { answerOf, type SecondAnswer } from './second-answer.ts';

export const { run } = implementStage<PairConfig>()({
  inputs: { first: 'records', second: 'records' },
  outputs: { records: 'records' },
  async run({ config, inputs, outputs, host }) {
    const second = new Map(
      (await readAll(inputs.second)).map((row) => [row.id, answerOf(row, config.second_field)]),
    );
    const problems = new RecordProblems('have no counterpart among the second answers');
    const firsts = (await readAll(inputs.first)).map((row, index) =>
      parseResponse(row, `first:${index + 1}`),
    );
    const ids = new Set(firsts.map(({ id }) => id));
    const alone = [
      ...firsts.filter(({ id }) => !second.has(id)),
      ...[...second.keys()].flatMap((id) => (ids.has(id) ? [] : [{ id }])),
    ];
    const isLenient = config.unmatched === 'leave_out';
    const pairs = firsts.flatMap((first) =>
      isLenient && !second.has(first.id)
        ? []
        : (problems.collect({ id: first.id }, () => ({ first, second: counterpart(first, second) })) ?? []),
    );
    problems.throwIfAny();
    if (alone.length > 0 && !isLenient)
      throw new UserError({
        code: 'no-counterpart',
        message: `${alone.length} of the second answers have no counterpart among the first: ${nameRecords(alone)}`,
        help: 'let both models answer the same records, or write `unmatched: leave_out` to pair the others',
      });
    if (alone.length > 0)
      host.report({
        type: 'note',
        level: 'warning',
        message: `${alone.length} answers without a counterpart, left out: ${nameRecords(alone)}`,
      });
    for (const pair of pairs) {
      for (const shownFirst of ordersOf(config, pair.first.id))
        await outputs.records.write(recordOf(pair, shownFirst));
    }
  },
});

type Order = 'first' | 'second';

function ordersOf({ orders, seed }: PairConfig, id: string): readonly Order[] {
  switch (orders) {
    case 'both':
      return ['first', 'second'];
    case 'first':
      return ['first'];
    case 'random':
      return [new RandomStream(['pair', seed, id]).uniform() < 0.5 ? 'first' : 'second'];
    default:
      return orders satisfies never;
  }
}

function counterpart(first: ResponseRecord, second: ReadonlyMap<string, SecondAnswer>): SecondAnswer {
  const other = second.get(first.id);
  const problem =
    other === undefined
      ? 'the second model has no answer with its id'
      : other.prompt !== undefined && other.prompt !== first.prompt
        ? 'the second model was given another prompt'
        : undefined;
  if (other?.response !== undefined && first.response !== undefined && problem === undefined) return other;
  throw new UserError({
    code: 'no-counterpart',
    message: problem ?? 'one of the two has no answer',
    help: 'let both generate stages answer the same records, with `mode: text`; if `second` is records, `second_field` names the field with the answer',
  });
}

function recordOf(pair: { first: ResponseRecord; second: SecondAnswer }, shownFirst: Order): DataRecord {
  const { id, prompt, expected, fields, response = '' } = pair.first;
  const answers = [response, pair.second.response ?? ''];
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
