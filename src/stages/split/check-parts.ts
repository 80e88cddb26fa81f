import type { SplitConfig } from '../../generated/split-config.ts';
import type { ConfigProblem } from '../../runtime/stage/stage-definition.ts';
import { type Part, partsOf, restShare } from './parts.ts';

const partName = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** Mistakes in the parts, and options that `by: order` does not heed. */
export function checkParts(config: SplitConfig): readonly ConfigProblem[] {
  const parts = partsOf(config);
  return [
    ...parts.flatMap((part, index) => checkName({ part, index, parts })),
    ...checkShares(parts),
    ...unheeded(config),
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
    const help = 'write `rest` as the share of one part, so that every record finds its place';
    return [{ pointer, code, message: 'no part takes the rest', help }];
  }
  if (restShare(parts) > 1e-9) return [];
  const sum = Number((1 - restShare(parts)).toFixed(6));
  return [{ pointer, code, message: `the shares add up to ${sum}, which leaves nothing for ${rests[0]}` }];
}

function unheeded({ by, group, seed }: SplitConfig): readonly ConfigProblem[] {
  if (by === 'hash') return [];
  const help = 'set `by: hash`, or leave it out';
  const problem = (field: string) => ({
    pointer: `/${field}`,
    code: 'unheeded-field',
    message: `\`${field}\` means nothing where records are split by their order`,
    help,
  });
  return [...(group === undefined ? [] : [problem('group')]), ...(seed === 0 ? [] : [problem('seed')])];
}
