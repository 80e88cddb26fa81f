import { createColors } from 'picocolors';
import { expect, test } from 'vitest';
import { type GraphView, graphDot, graphMermaid, graphText } from '../../src/cli/graph/graph.ts';

const view: GraphView = {
  pipeline: 'tiny "one"',
  stages: [
    {
      id: 'base',
      uses: 'load',
      outputs: [
        { name: 'model', type: 'model', parts: [] },
        { name: 'tokenizer', type: 'tokenizer', parts: [] },
      ],
    },
    { id: 'split', uses: 'split', outputs: [{ name: 'records', type: 'records', parts: ['train', 'test'] }] },
    { id: 'generate', uses: 'generate', outputs: [{ name: 'responses', type: 'responses', parts: [] }] },
  ],
  edges: [
    { from: 'base', to: 'generate', port: 'model', output: 'model' },
    { from: 'split', to: 'generate', port: 'prompts', output: 'records', part: 'test' },
  ],
};

test('as text: what a stage reads, the stage, and what it writes', () => {
  expect(graphText(view, { columns: 80, colors: createColors(false) })).toMatchInlineSnapshot(`
    "tiny "one": 3 stages

      base (load)  → model, tokenizer
      split        → records {train, test}
      generate     base, split.test → responses"
  `);
});

test('as Mermaid: names cannot end a label', () => {
  expect(
    graphMermaid({ ...view, stages: view.stages.map((stage) => ({ ...stage, uses: 'a"] --> x' })) }),
  ).toMatchInlineSnapshot(`
    "flowchart LR
      s0["base (a#34;#93; --#62; x)"]
      s1["split (a#34;#93; --#62; x)"]
      s2["generate (a#34;#93; --#62; x)"]
      s0 -->|"model"| s2
      s1 -->|"records.test"| s2"
  `);
});

test('as Graphviz: names cannot end a quotation', () => {
  expect(graphDot(view)).toMatchInlineSnapshot(`
    "digraph "tiny \\"one\\"" {
      rankdir=LR;
      node [shape=box, style=rounded, fontname="sans-serif"];
      edge [fontname="sans-serif", fontsize=10];
      "base" [label="base (load)"];
      "split";
      "generate";
      "base" -> "generate" [label="model"];
      "split" -> "generate" [label="records.test"];
    }"
  `);
});
