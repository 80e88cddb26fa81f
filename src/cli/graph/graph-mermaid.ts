import type { GraphEdge, GraphView } from './graph-view.ts';

/** A Mermaid flowchart, as Markdown viewers draw it. */
export function graphMermaid({ stages, edges }: GraphView): string {
  const names = new Map(stages.map(({ id }, index) => [id, `s${index}`]));
  return [
    'flowchart LR',
    ...stages.map(({ id, uses }) => `  ${names.get(id)}["${label(id === uses ? id : `${id} (${uses})`)}"]`),
    ...edges.map((edge) => `  ${names.get(edge.from)} -->|"${label(flow(edge))}"| ${names.get(edge.to)}`),
  ].join('\n');
}

const flow = ({ output, part }: GraphEdge): string => (part === undefined ? output : `${output}.${part}`);

/** Mermaid reads `#…;` as an entity, so every character that could end the label is written as one. */
const label = (text: string): string =>
  text.replace(/[^\w ().,:/-]/gu, (character) => `#${character.codePointAt(0)};`);
