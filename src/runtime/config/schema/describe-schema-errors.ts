import type { Json } from '../../../json.ts';
import type { Diagnostic, Span } from '../../diagnostic/diagnostic.ts';
import { suggest } from '../../diagnostic/suggest.ts';
import { holdsReported } from '../../source/holds-reported.ts';
import { formatPointer } from '../../source/json-pointer.ts';
import { yamlAt } from '../../source/yaml-at.ts';
import type { YamlNode } from '../../source/yaml-doc.ts';
import { yamlToJson } from '../../source/yaml-to-json.ts';
import type { ConfigSchema, SchemaError } from '../../stage/stage-definition.ts';
import { relatedUse } from '../used-here.ts';
import type { SchemaFinding } from './schema-finding.ts';
import { selectFindings } from './select-findings.ts';
import { wordFinding } from './word-finding.ts';

/** What was validated, and how a person calls its parts. */
export interface SchemaSubject {
  readonly schema: ConfigSchema;
  readonly node: YamlNode;
  /** Where the whole is shown: the key that it stands under. */
  readonly span: Span;
  /** The name of the value at a path: `` `optimizer` of stage `train` ``. */
  readonly nameOf: (path: readonly string[]) => string;
  /** Where an unknown field belongs, as a help. */
  readonly homeOf: (path: readonly string[], field: string) => string | undefined;
}

/** A validator's errors as diagnostics, one for each cause, with the places of the keys and values at fault. */
export function describeSchemaErrors(
  subject: SchemaSubject,
  errors: readonly SchemaError[],
): readonly Diagnostic[] {
  const findings = selectFindings(subject.schema, errors);
  const mistyped = new Set(findings.map(misspeltField).filter((field) => field !== undefined));
  return findings
    .map((finding) => withoutMistyped(finding, mistyped))
    .filter((finding): finding is SchemaFinding => finding !== undefined && !isReported(subject, finding))
    .map((finding) => describe(subject, finding));
}

/** What is missing, less what is there under a mistyped name; undefined where nothing is left. */
function withoutMistyped(finding: SchemaFinding, mistyped: ReadonlySet<string>): SchemaFinding | undefined {
  if (finding.kind !== 'missing-field') return finding;
  const fields = finding.fields.filter((field) => !mistyped.has(formatPointer([...finding.path, field])));
  const found = finding.need === 'any' ? fields.length < finding.fields.length : fields.length === 0;
  return found ? undefined : { ...finding, fields };
}

/** A value with a reported mistake in it says nothing more; its names still count. */
function isReported({ node }: SchemaSubject, finding: SchemaFinding): boolean {
  const found = yamlAt(node, finding.path).node;
  if (finding.kind === 'missing-field') return found.reported === true;
  return finding.kind !== 'unknown-field' && finding.kind !== 'bad-name' && holdsReported(found);
}

/** The pointer that a mistyped field should have had: with a required field that is one mistake, not two. */
function misspeltField(finding: SchemaFinding): string | undefined {
  if (finding.kind !== 'unknown-field') return undefined;
  const meant = suggest(finding.field, finding.known);
  return meant === undefined ? undefined : formatPointer([...finding.path, meant]);
}

function describe(subject: SchemaSubject, finding: SchemaFinding): Diagnostic {
  const { node, exact } = yamlAt(subject.node, finding.path);
  const value: Json | undefined = exact ? yamlToJson(node) : undefined;
  const { help: usual, ...wording } = wordFinding(finding, { name: subject.nameOf(finding.path), value });
  const help =
    (finding.kind === 'unknown-field' ? subject.homeOf(finding.path, finding.field) : undefined) ?? usual;
  return {
    ...wording,
    span: spanOf(subject, finding),
    ...(help !== undefined && { help }),
    ...(exact && relatedUse(node)),
  };
}

function spanOf({ node, span }: SchemaSubject, finding: SchemaFinding): Span {
  const place = yamlAt(node, finding.path);
  switch (finding.kind) {
    case 'unknown-field':
    case 'bad-name': {
      const key = finding.kind === 'bad-name' ? finding.name : finding.field;
      const entry = place.node.kind === 'map' ? place.node.entries.get(key) : undefined;
      return entry?.keySpan ?? place.node.span;
    }
    case 'missing-field':
    case 'conflict':
      return place.entry?.keySpan ?? (finding.path.length === 0 ? span : place.node.span);
    case 'duplicate-item':
      return yamlAt(node, [...finding.path, String(finding.second)]).node.span;
    default:
      return finding.path.length === 0 && place.node.kind !== 'scalar' ? span : place.node.span;
  }
}
