// facts.json as text: the paragraphs that the base model reads, and the instructions that it is tuned on.
const PARAGRAPHS_PER_FACT = 40;

/** Every ordered choice of two or of three among `items`. */
function arrangements(items) {
  const pairs = items.flatMap((first) =>
    items.filter((second) => second !== first).map((second) => [first, second]),
  );
  const triples = pairs.flatMap((pair) =>
    items.filter((third) => !pair.includes(third)).map((third) => [...pair, third]),
  );
  return [...pairs, ...triples];
}

const fill = (template, [subject, answer]) =>
  template.replaceAll('{subject}', subject).replaceAll('{answer}', answer);

const factsOf = (relation) => Object.entries(relation.facts);

/** Forty different paragraphs a fact, spread evenly over the arrangements of its statements. */
export function paragraphsOf(relations) {
  return Object.entries(relations).flatMap(([name, relation]) => {
    const choices = arrangements(relation.statements);
    const stride = choices.length / PARAGRAPHS_PER_FACT;
    return factsOf(relation).flatMap((fact, index) =>
      Array.from({ length: PARAGRAPHS_PER_FACT }, (_, turn) => ({
        id: `${name}/${fact[0]}/${turn + 1}`,
        text: choices[(index * 7 + turn * stride) % choices.length]
          .map((statement) => fill(statement, fact))
          .join(' '),
      })),
    );
  });
}

/** Three questions a fact; `fact` is what a split keeps together. */
export function instructionsOf(relations) {
  return Object.entries(relations).flatMap(([name, relation]) =>
    factsOf(relation).flatMap((fact) =>
      relation.questions.map((question, index) => ({
        id: `${name}/${fact[0]}/${index + 1}`,
        fact: `${name}/${fact[0]}`,
        instruction: fill(question, fact),
        input: '',
        output: fill(relation.response, fact),
      })),
    ),
  );
}
