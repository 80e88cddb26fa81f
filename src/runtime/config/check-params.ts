import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { YamlNode } from '../source/yaml-doc.ts';

/** Parameters hold plain values: one that means another would be passed on as it is written, to the user's surprise. */
export function checkParams(params: YamlNode | undefined): readonly Diagnostic[] {
  switch (params?.kind) {
    case undefined:
      return [];
    case 'scalar':
      return typeof params.value === 'string' && /(?<!\$)\$\{\s*params\./.test(params.value)
        ? [usesAnother(params)]
        : [];
    case 'list':
      return params.items.flatMap(checkParams);
    case 'map':
      return [...params.entries.values()].flatMap(({ value }) => checkParams(value));
    default:
      return params satisfies never;
  }
}

const usesAnother = ({ span }: YamlNode): Diagnostic => ({
  code: 'bad-expression',
  message: 'a parameter cannot use another one',
  span,
  help: 'write the value, or use both parameters in the stage',
});
