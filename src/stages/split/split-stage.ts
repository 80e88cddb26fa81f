import type { SplitConfig } from '../../generated/split-config.ts';
import type { ConfigProblem } from '../../runtime/index.ts';
import { dataStage, declareStage } from '../declare-stage.ts';
import { type Part, partsOf, restShare } from './parts.ts';

/** Splits records into named parts. */
export const splitStage = declareStage<SplitConfig>({
  name: 'split',
  version: 2,
  ports: (config) => ({
    inputs: { records: { accepts: ['records'], required: true, parts: 'one' } },
    outputs: { records: { type: 'records', parts: partsOf(config).map(({ name }) => name) } },
  }),
  check: checkParts,
  recordsPort: 'records',
  ...dataStage,
  load: () => import('./run-split.ts'),
});

const partName = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** Mistakes in the parts, and options that the way of splitting ignores or lacks. */
function checkParts(config: SplitConfig): readonly ConfigProblem[] {
  const parts = partsOf(config);
  return [
    ...parts.flatMap((part, index) => checkName({ part, index, parts })),
    ...checkShares(parts),
    ...ignoredFields(config),
    ...missingStratum(config),
  ];
}

function checkName(place: { part: Part; index: number; parts: readonly Part[] }): readonly ConfigProblem[] {
  const { name } = place.part;
  const pointer = `/parts/${place.index}`;
  if (place.parts.findIndex((other) => other.name === name) < place.index) {
    return [{ pointer, code: 'duplicate-part', message: `there is already a part \`${name}\`` }];
  }
  if (name === 'records') {
    const message = 'a part cannot have the name of the output, `records`';
    return [{ pointer, code: 'bad-part-name', message }];
  }
  if (partName.test(name)) return [];
  const message = `\`${name}\` cannot be a part's name`;
  const help = 'a name begins with a letter and has letters, digits, `_` and `-` only';
  return [{ pointer, code: 'bad-part-name', message, help }];
}

function checkShares(parts: readonly Part[]): readonly ConfigProblem[] {
  const pointer = '/parts';
  const code = 'bad-shares';
  const rests = parts.filter(({ share }) => share === 'rest').map(({ name }) => `\`${name}\``);
  if (rests.length > 1) {
    return [{ pointer, code, message: `${rests.join(' and ')} cannot each take the rest: one part does` }];
  }
  if (rests.length === 0) {
    const help = 'write `rest` as the share of one part, so that every record is in a part';
    return [{ pointer, code, message: 'no part takes the rest', help }];
  }
  if (restShare(parts) > 1e-9) return [];
  const sum = Number((1 - restShare(parts)).toFixed(6));
  return [{ pointer, code, message: `the shares add up to ${sum}, which leaves nothing for ${rests[0]}` }];
}

function ignoredFields({ by, group, field, seed }: SplitConfig): readonly ConfigProblem[] {
  const problem = (name: string, use: string): ConfigProblem => ({
    pointer: `/${name}`,
    code: 'unheeded-field',
    message: `\`${name}\` means nothing ${splitWords[by]}`,
    help: `set ${use}, or leave it out`,
  });
  return [
    ...(group === undefined || by === 'hash' ? [] : [problem('group', '`by: hash`')]),
    ...(field === undefined || by === 'stratified' ? [] : [problem('field', '`by: stratified`')]),
    ...(seed === 0 || by !== 'order' ? [] : [problem('seed', '`by: hash` or `by: stratified`')]),
  ];
}

const splitWords = {
  order: 'where records are split by their order',
  hash: 'where records are split by a hash',
  stratified: 'where records are split by strata',
} as const satisfies Record<SplitConfig['by'], string>;

function missingStratum({ by, field }: SplitConfig): readonly ConfigProblem[] {
  if (by !== 'stratified' || field !== undefined) return [];
  return [
    {
      pointer: '/by',
      code: 'no-stratum',
      message: '`by: stratified` names no field that holds the strata',
      help: 'name it: field: category',
    },
  ];
}
