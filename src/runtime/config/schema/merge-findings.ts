import type { Misfit, MissingField, SchemaFinding } from './schema-finding.ts';

/** Findings about one value as one: misfits are joined, and then nothing else is said of it; so are missing fields. */
export function mergeFindings(findings: readonly SchemaFinding[]): readonly SchemaFinding[] {
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

export const joinMissing = (known: MissingField, { fields }: MissingField): MissingField => ({
  ...known,
  fields: [...new Set([...known.fields, ...fields])],
});
