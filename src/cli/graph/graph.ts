import type { Dag, DagNode, InputBinding } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openPipeline } from '../open-pipeline.ts';
import { counted } from '../terminal/format-number.ts';
import { labeledText } from '../terminal/layout.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** `tuneloom graph`: prints the pipeline's stages and what flows between them. */
export async function graphCommand({
  words,
  options,
  context,
}: CommandCall<GraphOptions>): Promise<ExitCode> {
  const opened = await openPipeline({ words, options, context, names: 'none' });
  if (!opened) return exitCode.badUsage;
  const view = graphView(opened.dag);
  context.terminal.print(
    options.json ? JSON.stringify(view) : draw(view, { format: options.format, terminal: context.terminal }),
  );
  return exitCode.success;
}

interface GraphOptions extends Omit<PipelineOptions, 'store'> {
  readonly format: 'text' | 'mermaid' | 'dot';
}

function draw(
  view: GraphView,
  { format, terminal }: { format: GraphOptions['format']; terminal: Terminal },
): string {
  switch (format) {
    case 'text':
      return graphText(view, terminal);
    case 'mermaid':
      return graphMermaid(view);
    case 'dot':
      return graphDot(view);
    default:
      return format satisfies never;
  }
}

/** A DAG for drawing: stages, and what flows from one to the next. */
export interface GraphView {
  readonly pipeline: string;
  readonly stages: readonly GraphStage[];
  readonly edges: readonly GraphEdge[];
}

interface GraphStage {
  readonly id: string;
  readonly uses: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly parts: readonly string[];
  }[];
}

interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly output: string;
  readonly part?: string;
}

function graphView(dag: Dag): GraphView {
  const nodes = [...dag.nodes.values()];
  return {
    pipeline: dag.name,
    stages: nodes.map(stageOf),
    edges: nodes.flatMap((node) =>
      Object.entries(node.inputs).map(([port, binding]) => edgeOf({ to: node.id, port, binding })),
    ),
  };
}

function stageOf({ id, definition, ports, outputParts }: DagNode): GraphStage {
  const outputs = Object.entries(ports.outputs).map(([name, { type }]) => ({
    name,
    type,
    parts: outputParts[name] ?? [],
  }));
  return { id, uses: definition.name, outputs };
}

function edgeOf({ to, port, binding }: { to: string; port: string; binding: InputBinding }): GraphEdge {
  const { stage, output, part } = binding;
  return { from: stage, to, port, output, ...(part === undefined ? {} : { part }) };
}

/** A line for each stage, in topological order: its inputs, an arrow, its outputs. */
export function graphText(view: GraphView, terminal: Pick<Terminal, 'columns' | 'colors'>): string {
  const lines = view.stages.map((stage) => ({
    label: stage.id === stage.uses ? stage.id : `${stage.id} (${stage.uses})`,
    text: `${inputsOf(stage, view).join(', ')} → ${stage.outputs.map(outputText).join(', ')}`.trimStart(),
  }));
  return `${view.pipeline}: ${counted(view.stages.length, 'stage')}\n\n${labeledText(lines, { terminal })}`;
}

function inputsOf({ id }: GraphStage, { edges, stages }: GraphView): readonly string[] {
  return edges
    .filter(({ to }) => to === id)
    .map(({ from, output, part }) => {
      const first = stages.find((stage) => stage.id === from)?.outputs[0]?.name;
      return [from, ...(output === first ? [] : [output]), ...(part === undefined ? [] : [part])].join('.');
    });
}

const outputText = ({ name, parts }: GraphStage['outputs'][number]): string =>
  parts.length === 0 ? name : `${name} {${parts.join(', ')}}`;

/** A Mermaid flowchart, for Markdown viewers. */
export function graphMermaid({ stages, edges }: GraphView): string {
  const names = new Map(stages.map(({ id }, index) => [id, `s${index}`]));
  return [
    'flowchart LR',
    ...stages.map(({ id, uses }) => `  ${names.get(id)}["${label(id === uses ? id : `${id} (${uses})`)}"]`),
    ...edges.map((edge) => `  ${names.get(edge.from)} -->|"${label(flow(edge))}"| ${names.get(edge.to)}`),
  ].join('\n');
}

const flow = ({ output, part }: GraphEdge): string => (part === undefined ? output : `${output}.${part}`);

/** Writes every character that could end a label as one of Mermaid's `#…;` entities. */
const label = (text: string): string =>
  text.replace(/[^\w ().,:/-]/gu, (character) => `#${character.codePointAt(0)};`);

/** A drawing for Graphviz: `dot -Tsvg` turns it into a picture. */
export function graphDot({ pipeline, stages, edges }: GraphView): string {
  return [
    `digraph ${quoted(pipeline)} {`,
    '  rankdir=LR;',
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...stages.map(
      ({ id, uses }) => `  ${quoted(id)}${id === uses ? '' : ` [label=${quoted(`${id} (${uses})`)}]`};`,
    ),
    ...edges.map((edge) => `  ${quoted(edge.from)} -> ${quoted(edge.to)} [label=${quoted(flow(edge))}];`),
    '}',
  ].join('\n');
}

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
