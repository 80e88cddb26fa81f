import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { answerKey } from '../../../src/metrics/ratings.ts';
import { run } from '../../../src/stages/prefer/run-prefer.ts';
import { openStageRig } from '../stage-rig.ts';

const answer = (id: string, response: string): JsonObject => ({
  ...{ id, prompt: `asked ${id}`, expected: 'gold', fields: { instruction: `do ${id}` }, response },
});

const first = [answer('1', 'good'), answer('2', 'bad'), answer('3', 'same'), answer('4', 'fair')];
const second = [answer('1', 'poor'), answer('2', 'fine'), answer('3', 'same'), answer('4', 'nice')];

async function preferred(
  judgments: readonly JsonObject[],
  given: { margin?: number; second?: readonly JsonObject[] } = {},
) {
  await using rig = await openStageRig();
  await rig.writeRecords('first', first as Json[]);
  await rig.writeRecords('second', (given.second ?? second) as Json[]);
  await rig.writeRecords('judgments', judgments as Json[]);
  await rig.run(
    { run },
    {
      config: { margin: given.margin ?? 0, second_field: 'output' },
      inputs: { first: 'first', second: 'second', judgments: 'judgments' },
      outputs: { records: 'out' },
    },
  );
  const notes = rig.reports.map((report) => (report.type === 'note' ? report.message : ''));
  return { records: await rig.readRecords('out'), notes };
}

const one = { id: '1', instruction: 'do 1', chosen: 'good', rejected: 'poor' };
const two = { id: '2', instruction: 'do 2', chosen: 'fine', rejected: 'bad' };

/** What a judge says of a record of `pair`. */
const verdict = (pair: string, shown: 'first' | 'second', letter: string): JsonObject => {
  const texts = [first, second].map((rows) => String(rows.find(({ id }) => id === pair)?.response));
  const [answer_a = '', answer_b = ''] = shown === 'first' ? texts : texts.toReversed();
  return {
    ...{ id: `${pair}/${shown}`, prompt: 'Which?', expected: '', response: `[[${letter}]]` },
    fields: { pair, shown_first: shown, answer_a, answer_b },
  };
};

test("a judge's verdicts in both orders make pairs, and what says nothing is counted", async () => {
  const judgments = [
    ...[verdict('1', 'first', 'A'), verdict('1', 'second', 'B')], // the first answer both times
    ...[verdict('2', 'first', 'B'), verdict('2', 'second', 'C')], // the second answer, and a tie
    ...[verdict('4', 'first', 'A'), verdict('4', 'second', 'A')], // each answer once
    { ...verdict('4', 'first', 'A'), id: 'unread', response: 'I cannot say' },
  ];
  expect(await preferred(judgments)).toEqual({
    records: [one, two],
    notes: [
      '1 judgments have no verdict, or are of other answers; they were left out',
      '1 pairs have equal answers; they were left out',
      '1 pairs are ties; they were left out',
      '2 of 4 pairs have a preferred answer',
    ],
  });
  expect((await preferred(judgments, { margin: 0.5 })).records).toEqual([one]);
});

test("people's ratings make pairs, by their means", async () => {
  const rated = (id: string, response: string, scores: readonly number[]) =>
    scores.map((score, rater) => ({
      ...{ id: `${id}${response}${rater}`, rater: `person ${rater}`, score: String(score), note: '' },
      key: answerKey({ prompt: `asked ${id}`, response }),
    }));
  const judgments = [
    ...rated('1', 'good', [5, 4]),
    ...rated('1', 'poor', [2]),
    ...rated('2', 'bad', [1]),
    ...rated('2', 'fine', [2]),
    ...rated('4', 'fair', [3]),
    ...rated('9', 'gone', [3]),
  ];
  expect(await preferred(judgments)).toEqual({
    records: [one, two],
    notes: [
      '1 judgments have no verdict, or are of other answers; they were left out',
      '1 pairs have equal answers; they were left out',
      '1 pairs were not judged; they were left out',
      '2 of 4 pairs have a preferred answer',
    ],
  });
  expect((await preferred(judgments, { margin: 1 })).records).toEqual([one]);
});

test("people's votes in the arena make pairs, on whichever side an answer was", async () => {
  const vote = (id: string, texts: readonly [string, string], winner: string) => ({
    ...{ id: `vote ${id} ${winner}`, question_id: id, judge: 'me', model_a: 'a', model_b: 'b', winner },
    answers: texts.map((response) => answerKey({ prompt: `asked ${id}`, response })),
  });
  const judgments = [
    vote('1', ['poor', 'good'], 'model_b'),
    vote('2', ['bad', 'fine'], 'model_b'),
    vote('4', ['fair', 'nice'], 'tie (bothbad)'),
  ];
  expect((await preferred(judgments)).records).toEqual([one, two]);
  await expect(preferred([vote('1', ['poor', 'good'], 'left')])).rejects.toMatchObject({ code: 'bad-vote' });
});

test("a data set's own answers can be the second ones", async () => {
  const records = first.map(({ id }) => ({ id: String(id), output: 'gold' }));
  const judged = {
    ...verdict('1', 'first', 'B'),
    fields: { pair: '1', shown_first: 'first', answer_a: 'good', answer_b: 'gold' },
  };
  expect((await preferred([judged], { second: records })).records).toEqual([
    { id: '1', instruction: 'do 1', chosen: 'gold', rejected: 'good' },
  ]);
});

test.each<[what: string, judgments: readonly JsonObject[], problem: object]>([
  [
    'verdicts on other answers',
    [
      {
        ...verdict('1', 'first', 'A'),
        fields: { pair: '1', shown_first: 'first', answer_a: 'old', answer_b: 'poor' },
      },
    ],
    { code: 'other-answers', records: [{ id: '1/first', problem: 'the judge was shown other answers' }] },
  ],
  ['records that judge nothing', [{ id: 'x', text: 'hello' }], { code: 'no-judgments' }],
  ['ties alone', [verdict('1', 'first', 'C')], { code: 'nothing-preferred' }],
  ['nothing', [], { code: 'nothing-preferred' }],
])('%s are refused', async (_, judgments, problem) => {
  await expect(preferred(judgments)).rejects.toMatchObject(problem);
});
