import { UserError } from '../../core/index.ts';
import type { PreferConfig } from '../../generated/prefer-config.ts';
import { type DataRecord, parseResponse } from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import { answerOf } from '../pair/second-answer.ts';
import { readAll } from '../ports/port-contents.ts';
import { type AnswerPair, readJudgments } from './judgments.ts';

/** Writes the row of each prompt with the better answer as `chosen` and the other as `rejected`. */
export const { run } = implementStage<PreferConfig>()({
  inputs: { first: 'records', second: 'records', judgments: 'records' },
  outputs: { records: 'records' },
  async run({ config, inputs, outputs, host }) {
    const { pairs, alone } = pairsOf(await readAll(inputs.first), {
      second: await readAll(inputs.second),
      config,
    });
    const { differences, unread } = readJudgments(await readAll(inputs.judgments), pairs);
    const counts = { alone, unread, equal: 0, unjudged: 0, undecided: 0 };
    let written = 0;
    for (const pair of pairs) {
      const difference = differences.get(pair.id);
      if (pair.first === pair.second) counts.equal += 1;
      else if (difference === undefined) counts.unjudged += 1;
      else if (Math.abs(difference) <= config.margin) counts.undecided += 1;
      else {
        const [chosen, rejected] = difference > 0 ? [pair.first, pair.second] : [pair.second, pair.first];
        await outputs.records.write({ ...pair.fields, id: pair.id, chosen, rejected });
        written += 1;
      }
    }
    const messages = leftOut(counts, config);
    if (written === 0) throw nothingPreferred(messages);
    for (const message of messages) host.report({ type: 'note', level: 'info', message });
    host.report({
      type: 'note',
      level: 'info',
      message: `${written} of ${pairs.length} pairs have a preferred answer`,
    });
  },
});

/** The answers of both to the same prompts, and how many prompts only one of them answered. */
function pairsOf(
  first: readonly DataRecord[],
  { second, config }: { readonly second: readonly DataRecord[]; readonly config: PreferConfig },
): { readonly pairs: readonly AnswerPair[]; readonly alone: number } {
  const others = new Map(second.map((row) => [row.id, answerOf(row, config.second_field)]));
  const pairs = first.flatMap((row, index): readonly AnswerPair[] => {
    const { id, prompt, response, fields } = parseResponse(row, `first:${index + 1}`);
    const other = others.get(id);
    others.delete(id);
    const isOfPrompt = other?.prompt === undefined || other.prompt === prompt;
    return response === undefined || other?.response === undefined || !isOfPrompt
      ? []
      : [{ id, prompt, fields, first: response, second: other.response }];
  });
  return { pairs, alone: first.length - pairs.length + others.size };
}

function leftOut(
  counts: Readonly<Record<'alone' | 'unread' | 'equal' | 'unjudged' | 'undecided', number>>,
  { margin }: PreferConfig,
): readonly string[] {
  const reasons = {
    alone: 'answers have no counterpart to the same prompt',
    unread: 'judgments have no verdict, or are of other answers',
    equal: 'pairs have equal answers',
    unjudged: 'pairs were not judged',
    undecided: `pairs are ties${margin > 0 ? `, or differ by no more than ${margin}` : ''}`,
  };
  return Object.entries(reasons).flatMap(([name, reason]) => {
    const count = counts[name as keyof typeof counts]; // the keys of both
    return count === 0 ? [] : [`${count} ${reason}; they were left out`];
  });
}

const nothingPreferred = (messages: readonly string[]): UserError =>
  new UserError({
    code: 'nothing-preferred',
    message: `no answer is preferred to another${messages.length === 0 ? '' : `: ${messages.join('; ')}`}`,
    help: 'bind verdicts, ratings or votes on the answers at `first` and `second` to the port `judgments`',
  });
