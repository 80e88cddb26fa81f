import { chosenIndex, grouped } from '../../metrics/index.ts';
import type { BenchmarkFile } from '../benchmark-file.ts';
import { type BenchmarkScore, meanScore, scoresOf } from '../benchmark-scores.ts';
import { type Labels, labelsByKey } from '../labels.ts';
import { fieldOf, labelOf, placeOf, readJsonLines } from '../located.ts';
import type { SuperGlueTask } from './super-glue-task.ts';

/**
 * Adds the share of pairs whose two items are given the same label: sentences that differ in a pronoun's gender alone
 * (Rudinger et al. 2018; SuperGLUE's gender parity score).
 */
export const withGenderParity = (task: SuperGlueTask): SuperGlueTask => ({
  ...task,
  scoreResponses: (responses, config) => [
    ...task.scoreResponses(responses, config),
    ...scoresOf(
      {
        metrics: parity(
          responses.map(({ response }) => ({
            pair: String(response.fields.pair_id),
            label: String(chosenIndex(response)),
          })),
        ),
        remarks: [],
      },
      'axg',
    ),
  ],
  scorer: {
    ...task.scorer,
    score: async (files) => {
      const scores = await task.scorer.score(files);
      const predicted = await readLabels(files.predictions);
      const items = (await readJsonLines(files.data)).map((line) => ({
        pair: labelOf(fieldOf(line, 'pair_id')),
        label: predicted.get(labelOf(fieldOf(line, 'idx')))?.label ?? '',
      }));
      return { ...scores, metrics: [...scores.metrics, ...parity(items)] };
    },
  },
});

/** The labels of a file of lines {idx, label}, by idx. */
export async function readLabels(file: BenchmarkFile): Promise<Labels> {
  const lines = await readJsonLines(file);
  return labelsByKey(
    lines.map((line) => [
      labelOf(fieldOf(line, 'idx')),
      { place: placeOf(line), label: labelOf(fieldOf(line, 'label')) },
    ]),
  );
}

/** Without the items whose pair is not complete, as where only some are read; no figure if there is no pair. */
function parity(
  items: readonly { readonly pair: string; readonly label: string }[],
): readonly BenchmarkScore[] {
  const pairs = [...grouped(items, ({ pair }) => pair).values()].filter(({ length }) => length > 1);
  const values = pairs.map((pair) => (pair.every(({ label }) => label === pair[0]?.label) ? 1 : 0));
  return values.length === 0 ? [] : [meanScore({ metric: 'gender_parity', values })];
}
