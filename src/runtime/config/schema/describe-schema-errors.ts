import { type Json, suggest } from '../../../core/index.ts';
import { type Diagnostic, quoted, type Span } from '../../diagnostic/diagnostic.ts';
import type { ConfigSchema, SchemaError } from '../../stage/stage-definition.ts';
import { formatPointer, holdsReported, type YamlNode, yamlAt, yamlToJson } from '../../yaml/yaml-doc.ts';
import { fieldPath, relatedUse } from '../field-names.ts';
import { formatSchemaError } from './format-schema-error.ts';
import type { SchemaFinding, UnknownField } from './schema-finding.ts';
import { selectFindings } from './select-findings.ts';

/** What was validated, and how messages call its parts. */
interface SchemaSubject {
  readonly schema: ConfigSchema;
  readonly node: YamlNode;
  /** Where the whole is shown: its key. */
  readonly span: Span;
  /** The name of the value at a path: `` `optimizer` of stage `train` ``. */
  readonly nameOf: (path: readonly string[]) => string;
  /** Help that says where an unknown field belongs. */
  readonly homeOf: (path: readonly string[], field: string) => string | undefined;
  /** Help for a value that another program takes there. */
  readonly valueHelp?: (value: string) => string | undefined;
  /** The path of a field of that or a similar name anywhere in the schema of a stage's `with`. */
  readonly fieldElsewhere?: (field: string) => readonly string[] | undefined;
}

/** A validator's errors as diagnostics, one for each cause, at the keys and values at fault. */
export function describeSchemaErrors(
  subject: SchemaSubject,
  errors: readonly SchemaError[],
): readonly Diagnostic[] {
  const findings = selectFindings(subject.schema, errors);
  const mistyped = new Set(
    findings.map((finding) => misspelledField(subject, finding)).filter((field) => field !== undefined),
  );
  return findings
    .map((finding) => withoutMistyped(finding, mistyped))
    .filter((finding): finding is SchemaFinding => finding !== undefined && !isReported(subject, finding))
    .map((finding) => describe(subject, finding));
}

/** Drops missing fields that are present under a mistyped name; undefined if none is left. */
function withoutMistyped(finding: SchemaFinding, mistyped: ReadonlySet<string>): SchemaFinding | undefined {
  if (finding.kind !== 'missing-field') return finding;
  const fields = finding.fields.filter((field) => !mistyped.has(formatPointer([...finding.path, field])));
  const found = finding.need === 'any' ? fields.length < finding.fields.length : fields.length === 0;
  return found ? undefined : { ...finding, fields };
}

/** Whether the value has a mistake that has been reported. The names in it are still checked. */
function isReported({ node }: SchemaSubject, finding: SchemaFinding): boolean {
  const found = yamlAt(node, finding.path).node;
  if (finding.kind === 'missing-field') return found.reported === true;
  return finding.kind !== 'unknown-field' && finding.kind !== 'bad-name' && holdsReported(found);
}

/** The pointer that a mistyped field was meant to have: together with that missing field it is one mistake. */
function misspelledField(subject: SchemaSubject, finding: SchemaFinding): string | undefined {
  const meant = finding.kind === 'unknown-field' ? meantField(subject, finding) : undefined;
  return meant && formatPointer(meant);
}

/** The same name elsewhere wins over a similar one here, and that over a similar one elsewhere. */
function meantField(
  { fieldElsewhere }: SchemaSubject,
  { path, field, known }: UnknownField,
): readonly string[] | undefined {
  const elsewhere = fieldElsewhere?.(field);
  if (elsewhere?.at(-1) === field) return elsewhere;
  const here = suggest(field, known);
  return here === undefined ? elsewhere : [...path, here];
}

/** Help that says where an unknown field belongs, if not where it is. */
function rightPlace(subject: SchemaSubject, finding: UnknownField): string | undefined {
  const home = subject.homeOf(finding.path, finding.field);
  const meant = meantField(subject, finding);
  if (home !== undefined || meant === undefined) return home;
  const above = meant.slice(0, -1);
  if (formatPointer(above) === formatPointer(finding.path)) return undefined;
  return `did you mean ${quoted(fieldPath(meant))}${above.length === 0 ? ', directly under `with`' : ''}?`;
}

function describe(subject: SchemaSubject, finding: SchemaFinding): Diagnostic {
  const { node, exact } = yamlAt(subject.node, finding.path);
  const value: Json | undefined = exact ? yamlToJson(node) : undefined;
  const { help: usual, ...wording } = formatSchemaError(finding, {
    name: subject.nameOf(finding.path),
    value,
  });
  const help =
    (finding.kind === 'unknown-field' ? rightPlace(subject, finding) : undefined) ??
    (finding.kind === 'misfit' && typeof value === 'string' ? subject.valueHelp?.(value) : undefined) ??
    usual;
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
