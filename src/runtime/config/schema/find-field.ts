import { suggest } from '../../diagnostic/suggest.ts';
import type { ConfigSchema } from '../../stage/stage-definition.ts';
import { isSchema, propertiesOf, schemasIn } from './applicable-schemas.ts';

/** The path of the field of that name, wherever in the schema it stands; else of one that is named alike. */
export function findField(schema: ConfigSchema, name: string): readonly string[] | undefined {
  const paths = [...fieldPaths(schema, [])];
  const exact = paths.find((path) => path.at(-1) === name);
  if (exact !== undefined) return exact;
  const alike = suggest(name, new Set(paths.map((path) => path.at(-1) ?? '')));
  return paths.find((path) => path.at(-1) === alike);
}

/** The outermost first. Fields of a list's items have no path of names alone, and are left out. */
function* fieldPaths(schema: ConfigSchema, above: readonly string[]): Generator<readonly string[]> {
  const fields = Object.entries(propertiesOf(schema));
  for (const [name] of fields) yield [...above, name];
  for (const [name, field] of fields) yield* fieldPaths(field, [...above, name]);
  const combined = [schema.allOf, schema.anyOf, schema.oneOf].flatMap(schemasIn);
  const conditional = [schema.then, schema.else].filter(isSchema);
  for (const branch of [...combined, ...conditional]) yield* fieldPaths(branch, above);
}
