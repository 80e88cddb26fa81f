const inMaps = ['properties', 'patternProperties'];
const inLists = ['oneOf', 'anyOf', 'allOf'];
const alone = ['items', 'additionalProperties', 'not', 'if', 'then', 'else'];

/** A copy of a schema with `change` applied to every schema in it, innermost first. */
export function mapSchema(schema, change) {
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = { ...schema };
  for (const key of inMaps.filter((key) => copy[key]))
    copy[key] = Object.fromEntries(
      Object.entries(copy[key]).map(([name, child]) => [name, mapSchema(child, change)]),
    );
  for (const key of inLists.filter((key) => copy[key]))
    copy[key] = copy[key].map((child) => mapSchema(child, change));
  for (const key of alone.filter((key) => copy[key])) copy[key] = mapSchema(copy[key], change);
  return change(copy);
}
