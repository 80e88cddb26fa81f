import type { Store } from '../../runtime/index.ts';
import { portCodecs } from '../../stages/ports/port-codecs.ts';
import type { ResponseRecord } from '../../stages/ports/response-record.ts';
import { type FinishedOutput, readOutput } from './finished-outputs.ts';
import { questionOf } from './question-of.ts';
import type { ComparedAnswer } from './run-summary.ts';

const SHOWN = 3;
const LOOKED_AT = 1000;

/** A few answers; where several stages answered the same prompts, side by side. */
export async function collectAnswers(
  store: Store,
  outputs: readonly FinishedOutput[],
): Promise<readonly ComparedAnswer[]> {
  const asked = samePrompts(outputs.filter(({ type }) => type === 'responses'));
  const columns = await Promise.all(
    asked.map(({ node, digest }) =>
      readOutput({ store, digest }, async (path) => ({ stage: node.id, responses: await textsOf(path) })),
    ),
  );
  return spread(columns[0]?.responses ?? []).map((response) => ({
    question: questionOf(response),
    expected: response.expected.trim(),
    given: columns.flatMap(({ stage, responses }) => {
      const same = responses.find(({ id }) => id === response.id);
      return same?.response === undefined ? [] : [{ stage, response: same.response }];
    }),
  }));
}

/** The largest group of stages that were asked the same; the last such group where several are as large. */
function samePrompts(outputs: readonly FinishedOutput[]): readonly FinishedOutput[] {
  const groups = new Map<string, FinishedOutput[]>();
  for (const output of outputs) {
    const { stage, output: name, part } = output.node.inputs.prompts ?? {};
    const prompts = JSON.stringify([stage, name, part]);
    groups.set(prompts, [...(groups.get(prompts) ?? []), output]);
  }
  return [...groups.values()].reduce((largest, next) => (next.length >= largest.length ? next : largest), []);
}

/** The first answers of a file. */
async function textsOf(path: string): Promise<readonly ResponseRecord[]> {
  const texts: ResponseRecord[] = [];
  for await (const record of portCodecs.responses.read(path)) {
    if (record.response !== undefined) texts.push(record);
    if (texts.length === LOOKED_AT) break;
  }
  return texts;
}

/** A few, evenly apart: neighbours are often alike. */
function spread(responses: readonly ResponseRecord[]): readonly ResponseRecord[] {
  const count = Math.min(SHOWN, responses.length);
  return Array.from(
    { length: count },
    (_, index) => responses[Math.floor((index * responses.length) / count)],
  ).filter((response) => response !== undefined);
}
