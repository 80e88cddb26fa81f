import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { type JsonOption, jsonOption, overrideOptions, type PipelineOptions } from './options.ts';

export const graphFormats = ['text', 'mermaid', 'dot'] as const;

export interface GraphOptions extends Omit<PipelineOptions, 'store'>, JsonOption {
  readonly format: (typeof graphFormats)[number];
}

export const graphCommand: CommandDeclaration<GraphOptions> = {
  name: 'graph',
  usage: '[file]',
  summary: 'Draw the stages of a pipeline and what flows between them',
  options: [
    new Option('--format <format>', 'how to draw it').choices(graphFormats).default('text'),
    ...overrideOptions,
    jsonOption,
  ],
  examples: [
    { line: 'tuneloom graph', does: 'a drawing in text' },
    { line: 'tuneloom graph --format mermaid', does: 'a drawing for Markdown' },
    { line: 'tuneloom graph --format dot | dot -Tsvg > graph.svg', does: 'a picture, with Graphviz' },
  ],
  load: () => import('../graph/execute-graph.ts'),
};
