import { plainPalette, renderDiagnostics } from '../../../src/runtime/diagnostic/render-diagnostics.ts';
import { loadCode } from '../../../src/runtime/execute/serve-stage-process.ts';
import type { Dag, DagNode } from '../../../src/runtime/graph/dag.ts';
import { loadPipeline } from '../../../src/runtime/graph/load-pipeline.ts';
import { lawRegistry } from './law-stages.ts';
import type { Project } from './project.ts';
import { topFile } from './sheets.ts';
import { escaped } from './write-yaml.ts';

/** What the user types after `tuneloom run walk.yaml`. */
export const commandLineOf = ({ overrides, sets }: Project) => ({
  params: Object.entries(overrides).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
  sets: Object.entries(sets).map(
    ([name, value]) => `stages.${name.replace(' ', '.with.')}=${JSON.stringify(escaped(value))}`,
  ),
});

/** Loads the written project, with its own stages run in this process, because starting another takes long. */
export async function loadWritten(project: Project, folder: string): Promise<Dag> {
  const loaded = await loadPipeline({
    file: topFile,
    registry: lawRegistry,
    workingDirectory: folder,
    ...commandLineOf(project),
  });
  if (!loaded.ok) throw new Error(renderDiagnostics(loaded.error, plainPalette));
  const nodes = [...loaded.value.nodes].map(([id, node]) => [id, inThisProcess(node)] as const);
  return { ...loaded.value, nodes: new Map(nodes) };
}

function inThisProcess(node: DagNode): DagNode {
  if (node.definition.code === undefined) return node;
  const load: DagNode['definition']['load'] = async () => ({
    run: async (action, host) => (await loadCode(String(action.code))).run(action, host),
  });
  return { ...node, definition: { ...node.definition, process: 'inline', load } };
}
