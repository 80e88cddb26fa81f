import type { ConcatConfig } from '../../generated/concat-config.ts';
import type { ConfigProblem, InputPort } from '../../runtime/index.ts';
import { dataStage, declareStage } from '../declare-stage.ts';
import { originOfMixed } from '../mixing/mix.ts';

const records: InputPort = { accepts: ['records'], required: true, parts: 'one' };

/** Joins the records of several stages. */
export const concatStage = declareStage<ConcatConfig>({
  name: 'concat',
  version: 1,
  ports: ({ sources }) => ({
    inputs: Object.fromEntries(sources.map(({ name }) => [name, records])),
    outputs: { records: { type: 'records' } },
  }),
  check: checkNames,
  recordsPort: (id) => {
    const origin = originOfMixed(id);
    return origin && { port: origin.name, id: origin.id };
  },
  ...dataStage,
  load: () => import('./run-concat.ts'),
});

function checkNames({ sources }: ConcatConfig): readonly ConfigProblem[] {
  const names = sources.map(({ name }) => name);
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [
          {
            pointer: `/sources/${index}/name`,
            code: 'duplicate-name',
            message: `there is already a source \`${name}\``,
          },
        ],
  );
}
