/** The fields of a schema as a table of Markdown. */
export function fieldTable(schema) {
  const rows = rowsOf(schema, '').map(
    ({ field, type, byDefault, text }) => `| \`${field}\` | ${type} | ${byDefault} | ${text} |`,
  );
  return `| field | type | default | what it does |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

/**
 * Fields of nested maps follow their map as `optimizer.name`, or as `remotes.<name>.url` where the map's keys are free. Of
 * kinds of a map that a field tells apart, as `name: lion` does, each has its own rows.
 */
function rowsOf(schema, prefix) {
  const kind = kindOf(schema);
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => [
    {
      field: `${prefix}${name}${kind === undefined || 'const' in child ? '' : `\` of \`${kind}`}`,
      type: typeOf(child),
      byDefault: byDefaultOf(child, schema.required?.includes(name)),
      text: cell(child.description ?? ''),
    },
    ...rowsOf(child, `${prefix}${name}.`),
    ...rowsOf(child.additionalProperties ?? {}, `${prefix}${name}.<name>.`),
  ]);
  const branches = [...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  return unique([
    ...own,
    ...branches.flatMap((branch) => rowsOf(branch, prefix)),
    ...listRows(schema, prefix),
  ]);
}

/** The value of the required field by which a branch differs from the others. */
const kindOf = ({ required = [], properties = {} }) =>
  required.map((name) => properties[name]?.const).find((value) => value !== undefined);

const listRows = (schema, prefix) =>
  schema.items?.properties ? rowsOf(schema.items, `${prefix.replace(/\.$/, '')}[].`) : [];

const unique = (rows) => [...new Map(rows.toReversed().map((row) => [row.field, row])).values()].toReversed();

function byDefaultOf(schema, required) {
  if ('default' in schema) return `\`${cell(JSON.stringify(schema.default))}\``;
  return required ? 'required' : '';
}

function typeOf(schema) {
  if ('const' in schema) return `\`${cell(String(schema.const))}\``;
  // A long list has a separate table on the page.
  if (schema.enum?.length > 20) return 'name';
  if (schema.enum) return schema.enum.map((value) => `\`${cell(String(value))}\``).join(', ');
  const branches = schema.oneOf ?? schema.anyOf;
  if (branches) return [...new Set(branches.map(typeOf))].join(' or ');
  if (schema.type === 'array') return schema.items ? `list of ${typeOf(schema.items)}` : 'list';
  return [schema.type ?? 'any']
    .flat()
    .map((type) => (type === 'object' ? 'map' : type))
    .join(' or ');
}

export const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
