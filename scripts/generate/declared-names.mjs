/** Puts the names that the sources declare into the schemas' lists. Names keep their places; new ones come last. */
export function withDeclaredNames(schemas, { metrics, answerMetrics, benchmarks, templates }) {
  const lists = {
    evaluate: [({ properties }) => properties.metrics.items, metrics.map(({ name }) => name)],
    format: [({ properties }) => properties.template.anyOf[0], templates],
    load: [({ properties }) => properties.as, benchmarks.map(({ name }) => name)],
    train: [
      ({ properties }) => properties.evaluate.properties.generation.properties.metrics.items,
      answerMetrics,
    ],
  };
  const stages = schemas.stages.map((stage) => {
    if (!(stage.name in lists)) return stage;
    const [find, names] = lists[stage.name];
    const { enum: old } = find(stage.schema);
    const kept = old.filter((name) => names.includes(name));
    const text = withList(stage.text, old, [...kept, ...names.filter((name) => !kept.includes(name))]);
    return { ...stage, text, schema: JSON.parse(text) };
  });
  return { ...schemas, stages };
}

/** The text with the one list of these values replaced, each value on a separate line as Biome writes it. */
function withList(text, old, names) {
  if (old.join() === names.join()) return text;
  const written = new RegExp(
    `^( *)(.*"enum": )\\[\\s*${old.map((name) => `"${name}"`).join(',\\s*')}\\s*\\]`,
    'm',
  );
  return text.replace(written, (_, indent, before) => {
    const lines = names.map((name) => `${indent}  "${name}"`).join(',\n');
    return `${indent}${before}[\n${lines}\n${indent}]`;
  });
}
