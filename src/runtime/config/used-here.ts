import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { YamlNode } from '../source/yaml-doc.ts';

export const usedHere = 'it is used here';

/** For a mistake in a parameter's value: the place where the parameter is used. */
export function relatedUse({ usedAt }: YamlNode): Pick<Diagnostic, 'related'> {
  return usedAt === undefined ? {} : { related: { span: usedAt, message: usedHere } };
}
