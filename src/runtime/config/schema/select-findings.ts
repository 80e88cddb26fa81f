import { parsePointer } from '../../source/json-pointer.ts';
import type { ConfigSchema, SchemaError } from '../../stage/stage-definition.ts';
import { schemasIn } from './applicable-schemas.ts';
import { examplesOf, findingOf, type Misfit, type SchemaFinding, schemaAt } from './schema-finding.ts';

/**
 * A validator's errors as findings, one for each cause. Where no branch of a `oneOf` or `anyOf` fits, only the branch
 * that was most likely meant speaks.
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
  return mergeMisfits(findings);
}

const isCombination = ({ keyword }: SchemaError): boolean => keyword === 'oneOf' || keyword === 'anyOf';

const isWithin = (error: SchemaError, combination: SchemaError): boolean =>
  error !== combination &&
  error.schemaPath.startsWith(`${combination.schemaPath}/`) &&
  `${error.instancePath}/`.startsWith(`${combination.instancePath}/`);

function closestBranch({
  schema,
  combination,
  errors,
}: {
  readonly schema: ConfigSchema;
  readonly combination: SchemaError;
  readonly errors: readonly SchemaError[];
}): readonly SchemaFinding[] {
  const path = parsePointer(combination.instancePath);
  const parent = schemaAt(schema, combination.schemaPath.slice(0, combination.schemaPath.lastIndexOf('/')));
  if (errors.length === 0) return [tooManyBranches(path, schemasIn(parent[combination.keyword]))];
  const branchOf = (error: SchemaError): string =>
    error.schemaPath.slice(combination.schemaPath.length + 1).split('/')[0] ?? '';
  const branches = [...new Set(errors.map(branchOf))].map((branch) =>
    selectFindings(
      schema,
      errors.filter((error) => branchOf(error) === branch),
    ),
  );
  const meant = branches.filter((branch) => misfitAt(branch, path.length) === undefined);
  if (meant.length === 0) {
    const examples = examplesOf(parent);
    const misfits = branches.flat().filter(isMisfitAt(path.length));
    return mergeMisfits(misfits.map((misfit) => (examples.length === 0 ? misfit : { ...misfit, examples })));
  }
  return anyMissingField(meant) ?? byDiscriminator(meant, path.length + 1);
}

/** Maps are told apart by a field with a fixed value; where none has the given one, all values that it may have are named. */
function byDiscriminator(
  branches: readonly (readonly SchemaFinding[])[],
  depth: number,
): readonly SchemaFinding[] {
  const fitting = branches.filter((branch) => misfitAt(branch, depth)?.choices.length === undefined);
  if (fitting.length > 0) return fewest(fitting);
  const misfits = branches.map((branch) => misfitAt(branch, depth));
  const paths = new Set(misfits.map((misfit) => misfit?.path.join('/')));
  return paths.size === 1 && branches.length > 1
    ? mergeMisfits(misfits.filter((misfit) => misfit !== undefined))
    : fewest(branches);
}

const fewest = (branches: readonly (readonly SchemaFinding[])[]): readonly SchemaFinding[] =>
  branches.reduce((best, branch) => (branch.length < best.length ? branch : best));

/** `a` or `b` is needed, where each branch misses nothing but its one field. */
function anyMissingField(
  branches: readonly (readonly SchemaFinding[])[],
): readonly SchemaFinding[] | undefined {
  const missing = branches.map((branch) =>
    branch.length === 1 && branch[0]?.kind === 'missing-field' ? branch[0] : undefined,
  );
  const [first] = missing;
  if (first === undefined || missing.length < 2 || missing.includes(undefined)) return undefined;
  return [{ ...first, fields: [...new Set(missing.flatMap((finding) => finding?.fields ?? []))] }];
}

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

/** Misfits of one value become one, and nothing below or beside a misfit is said of it. */
function mergeMisfits(findings: readonly SchemaFinding[]): readonly SchemaFinding[] {
  const misfits = new Map<string, Misfit>();
  for (const finding of findings) {
    if (finding.kind !== 'misfit') continue;
    const place = finding.path.join('/');
    const known = misfits.get(place);
    misfits.set(place, {
      ...finding,
      types: [...new Set([...(known?.types ?? []), ...finding.types])],
      choices: [...new Set([...(known?.choices ?? []), ...finding.choices])],
      examples: known?.examples ?? finding.examples,
    });
  }
  const others = findings.filter(
    (finding) => finding.kind !== 'misfit' && !misfits.has(finding.path.join('/')),
  );
  return [...misfits.values(), ...others];
}
