import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { suggest } from '../diagnostic/suggest.ts';
import { listOf } from '../diagnostic/wording.ts';
import { err, ok, type Result } from '../result.ts';
import { yamlAt } from '../source/yaml-at.ts';
import type { YamlMap, YamlNode } from '../source/yaml-doc.ts';

/** What stands between `${` and `}` in a text. */
export interface Expression {
  readonly written: string;
  readonly inside: string;
  readonly closed: boolean;
  /** The expression's own place where that is known, else the whole text's. */
  readonly span: Span;
}

/** The parameter that an expression names: `params.name`, or `params.name.field` within a map. */
export function findParameter(
  { written, inside, closed, span }: Expression,
  params: YamlMap | undefined,
): Result<YamlNode, Diagnostic> {
  const [root, ...path] = inside.trim().split('.');
  const known = [...(params?.entries.keys() ?? [])];
  if (!closed)
    return err({
      code: 'bad-expression',
      message: `\`${written}\` is not closed`,
      span,
      help: `end it with \`}\`, or write \`$\${\` for a plain \`\${\``,
    });
  if (root !== 'params' || path.length === 0)
    return err({
      code: 'bad-expression',
      message: `\`${written}\` is not a parameter`,
      span,
      help: notAParameter(root ?? '', known),
    });
  const place = params && yamlAt(params, path);
  return place?.exact === true ? ok(place.node) : err({ ...unknownParameter(path, params), span });
}

function unknownParameter(path: readonly string[], params: YamlMap | undefined): Diagnostic {
  const found = path.findIndex((_, index) => params && !yamlAt(params, path.slice(0, index + 1)).exact);
  const at = Math.max(0, found);
  const parent = params && yamlAt(params, path.slice(0, at)).node;
  const known = parent?.kind === 'map' ? [...parent.entries.keys()] : [];
  const meant = suggest(path[at] ?? '', known);
  const all =
    known.length === 0 ? 'declare it under `params:`' : `the parameters are ${listOf(known, 'and')}`;
  return {
    code: 'unknown-parameter',
    message: `the pipeline has no parameter \`${path.join('.')}\``,
    help: meant === undefined ? all : `did you mean \`${[...path.slice(0, at), meant].join('.')}\`?`,
  };
}

function notAParameter(name: string, known: readonly string[]): string {
  return known.includes(name)
    ? `write \`\${params.${name}}\``
    : `a parameter is \`\${params.name}\`; write \`$\${\` for a plain \`\${\``;
}
