import type { ConfigSchema, SchemaError } from '../../stage/stage-definition.ts';
import { parsePointer } from '../../yaml/yaml-doc.ts';
import { schemasIn } from './applicable-schemas.ts';
import {
  examplesOf,
  findingOf,
  type Misfit,
  type MissingField,
  type SchemaFinding,
  schemaAt,
} from './schema-finding.ts';

/**
 * A validator's errors as findings, one for each cause. Where no branch of a `oneOf` or `anyOf` fits, only the findings
 * of the branch that was most likely meant count.
 */
export function selectFindings(
  schema: ConfigSchema,
  errors: readonly SchemaError[],
): readonly SchemaFinding[] {
  const combinations = errors.filter(isCombination);
  const outermost = combinations.filter((one) => !combinations.some((other) => isWithin(one, other)));
  const plain = errors.filter((error) => !outermost.some((one) => error === one || isWithin(error, one)));
  const findings = [
    ...plain.map((error) => findingOf(schema, error)).filter((finding) => finding !== undefined),
    ...outermost.flatMap((one) =>
      closestBranch({ schema, combination: one, errors: errors.filter((e) => isWithin(e, one)) }),
    ),
  ];
  return mergeFindings(findings);
}

const isCombination = ({ keyword }: SchemaError): boolean => keyword === 'oneOf' || keyword === 'anyOf';

const isWithin = (error: SchemaError, combination: SchemaError): boolean =>
  error !== combination &&
  error.schemaPath.startsWith(`${combination.schemaPath}/`) &&
  `${error.instancePath}/`.startsWith(`${combination.instancePath}/`);

interface FailedCombination {
  readonly schema: ConfigSchema;
  readonly combination: SchemaError;
  /** Those of its branches. */
  readonly errors: readonly SchemaError[];
}

function closestBranch({ schema, combination, errors }: FailedCombination): readonly SchemaFinding[] {
  const path = parsePointer(combination.instancePath);
  const parent = schemaAt(schema, combination.schemaPath.slice(0, combination.schemaPath.lastIndexOf('/')));
  const passing = combination.params.passingSchemas;
  if (Array.isArray(passing)) {
    const fitting = schemasIn(parent[combination.keyword]).filter((_, index) => passing.includes(index));
    return [tooManyBranches(path, fitting)];
  }
  const branches = findingsByBranch({ schema, combination, errors });
  const meant = branches.filter((branch) => misfitAt(branch, path.length) === undefined);
  const chosen =
    meant.length === 0
      ? mergeFindings(branches.flat().filter(isMisfitAt(path.length)))
      : (anyMissingField(meant) ?? byDiscriminator(meant, path.length + 1));
  return chosen.map((finding) =>
    finding.path.length === path.length ? withExamples(finding, parent) : finding,
  );
}

function findingsByBranch({
  schema,
  combination,
  errors,
}: FailedCombination): readonly (readonly SchemaFinding[])[] {
  const branchOf = (error: SchemaError): string =>
    error.schemaPath.slice(combination.schemaPath.length + 1).split('/')[0] ?? '';
  return [...new Set(errors.map(branchOf))].map((branch) =>
    selectFindings(
      schema,
      errors.filter((error) => branchOf(error) === branch),
    ),
  );
}

/** Examples of the whole say more than those of one branch. */
function withExamples(finding: SchemaFinding, parent: ConfigSchema): SchemaFinding {
  const examples = examplesOf(parent);
  const takesExamples = finding.kind === 'misfit' || finding.kind === 'pattern';
  return takesExamples && examples.length > 0 ? { ...finding, examples } : finding;
}

/** A field with a fixed value tells maps apart; where no branch has the given value, all possible values are named. */
function byDiscriminator(
  branches: readonly (readonly SchemaFinding[])[],
  depth: number,
): readonly SchemaFinding[] {
  const discriminators = branches.map((branch) => branch.find(isDiscriminatorAt(depth)));
  const fitting = branches.filter((_, index) => discriminators[index] === undefined);
  if (fitting.length > 0) return fewest(fitting);
  const places = new Set(discriminators.map((finding) => finding?.path.join('/')));
  return places.size === 1
    ? mergeFindings(discriminators.filter((finding) => finding !== undefined))
    : fewest(branches);
}

const fewest = (branches: readonly (readonly SchemaFinding[])[]): readonly SchemaFinding[] =>
  branches.reduce((best, branch) => (branch.length < best.length ? branch : best));

/** `a` or `b` is needed, where each branch lacks only its own fields. */
function anyMissingField(
  branches: readonly (readonly SchemaFinding[])[],
): readonly SchemaFinding[] | undefined {
  const missing = branches.flatMap((branch) => (branch.length === 1 ? branch.filter(isMissingField) : []));
  const [first] = missing;
  if (first === undefined || missing.length < 2 || missing.length < branches.length) return undefined;
  return [{ ...missing.reduce(joinMissing), need: 'any' }];
}

const isMissingField = (finding: SchemaFinding): finding is MissingField => finding.kind === 'missing-field';

/** More than one branch of a `oneOf` fits: the fields that each requires exclude each other. */
function tooManyBranches(path: readonly string[], branches: readonly ConfigSchema[]): SchemaFinding {
  const fields = branches
    .flatMap((branch) => [branch.required ?? []].flat())
    .filter((name) => typeof name === 'string');
  return fields.length > 0
    ? { kind: 'conflict', path, fields: [...new Set(fields)] }
    : { kind: 'other', path, keyword: 'oneOf' };
}

const isMisfitAt =
  (depth: number) =>
  (finding: SchemaFinding): finding is Misfit =>
    finding.kind === 'misfit' && finding.path.length === depth;

const misfitAt = (findings: readonly SchemaFinding[], depth: number): Misfit | undefined =>
  findings.find(isMisfitAt(depth));

const isDiscriminatorAt =
  (depth: number) =>
  (finding: SchemaFinding): finding is Misfit =>
    isMisfitAt(depth)(finding) && finding.choices.length > 0;

/** Joins findings about one value: misfits, which then hide all others, and missing fields. */
function mergeFindings(findings: readonly SchemaFinding[]): readonly SchemaFinding[] {
  const merged = new Map<string, SchemaFinding>();
  const misfits = new Set(findings.filter(({ kind }) => kind === 'misfit').map(placeOf));
  for (const [index, finding] of findings.entries()) {
    const place = placeOf(finding);
    if (misfits.has(place) && finding.kind !== 'misfit') continue;
    const joins = finding.kind === 'misfit' || (finding.kind === 'missing-field' && finding.need === 'all');
    const key = joins ? `${finding.kind} ${place}` : String(index);
    merged.set(key, join(merged.get(key), finding));
  }
  return [...merged.values()];
}

const placeOf = ({ path }: SchemaFinding): string => path.join('/');

function join(known: SchemaFinding | undefined, finding: SchemaFinding): SchemaFinding {
  if (known?.kind === 'misfit' && finding.kind === 'misfit') return joinMisfits(known, finding);
  if (known?.kind === 'missing-field' && finding.kind === 'missing-field') return joinMissing(known, finding);
  return finding;
}

const joinMisfits = (known: Misfit, { types, choices, examples }: Misfit): Misfit => ({
  ...known,
  types: [...new Set([...known.types, ...types])],
  choices: [...new Set([...known.choices, ...choices])],
  examples: known.examples.length > 0 ? known.examples : examples,
});

const joinMissing = (known: MissingField, { fields }: MissingField): MissingField => ({
  ...known,
  fields: [...new Set([...known.fields, ...fields])],
});
