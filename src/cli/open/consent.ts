import { relative, sep } from 'node:path';
import { isObject } from '../../core/index.ts';
import {
  approve,
  codeHash,
  type Dag,
  type DagNode,
  type Plan,
  planPipeline,
  type Received,
  receivedDefinition,
  runsCode,
  type Store,
} from '../../runtime/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import { UsageError } from '../exit-code.ts';
import { labeledText } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { canAsk, confirm, type Terminal } from '../terminal/terminal.ts';

/** Something that a definition from elsewhere would do with the user's machine, files or secrets. */
export interface Reach {
  readonly stage: string;
  readonly kind: 'command' | 'own-stage' | 'endpoint' | 'outside-file';
  /** What it is, as one line. */
  readonly text: string;
  /** What an approval is of. */
  readonly hash: string;
  readonly received: Received;
}

/**
 * Whether the stages that would run may: asks for what nobody has approved yet in a definition from elsewhere, and
 * remembers the answer. Throws a UsageError where there is nobody to ask.
 */
export async function mayRun({
  dag,
  store,
  stages,
  force,
  everyStage = false,
  yes,
  json,
  context,
}: {
  readonly dag: Dag;
  readonly store: Store;
  readonly stages: readonly string[];
  readonly force: readonly string[];
  /** Whether stages run that would be reused. */
  readonly everyStage?: boolean;
  readonly yes: boolean;
  readonly json: boolean | undefined;
  readonly context: CommandContext;
}): Promise<boolean> {
  const planned = await planPipeline({ dag, store, targets: stages, force });
  // The run finds the same mistakes and shows them.
  if (!planned.ok) return true;
  const nodes = [...planned.value.stages.values()].flatMap(({ node, decision }) =>
    everyStage || decision.kind !== 'reuse' ? [node] : [],
  );
  const open = reachesOf(nodes, planned.value).filter(({ hash, received }) => !received.approved.has(hash));
  return open.length === 0 || askFor(open, { yes, json, context });
}

/** Shows what is to be approved, and asks for it. */
export async function askFor(
  reaches: readonly Reach[],
  {
    yes,
    json,
    context,
  }: { readonly yes: boolean; readonly json: boolean | undefined; readonly context: CommandContext },
): Promise<boolean> {
  const { terminal } = context;
  if (!yes && (json || !canAsk())) {
    const shown = reaches.map(({ stage, text }) => `${stage}: ${text}`);
    throw new UsageError({
      message: `the pipeline comes from ${from(reaches)} and would run what nobody has approved: ${shown.join('; ')}`,
      help: 'read it, and add --yes to approve it',
    });
  }
  if (!yes) {
    terminal.print(`This pipeline comes from ${from(reaches)}. On your machine it would do this:`);
    terminal.print(reachText(reaches, terminal));
    if (!(await confirm('Approve it?'))) {
      terminal.print('Nothing ran.');
      return false;
    }
  }
  for (const [folder, received] of new Map(reaches.map((each) => [each.received.folder, each.received])))
    await approve(
      received,
      reaches.filter((each) => each.received.folder === folder).map(({ hash }) => hash),
    );
  return true;
}

const from = ([first]: readonly Reach[]): string => safeLine(first?.received.from ?? '');

/** A line for each reach. */
export const reachText = (reaches: readonly Reach[], terminal: Terminal): string =>
  labeledText(
    reaches.map(({ stage, text }) => ({ label: safeLine(stage), text: safeLine(text) })),
    { terminal },
  );

/** What the stages of received definitions would do besides computing in the store. */
export const reachesOf = (nodes: readonly DagNode[], { sources }: Pick<Plan, 'sources'>): readonly Reach[] =>
  nodes.flatMap((node) => {
    const received = receivedDefinition(node);
    if (received === undefined) return [];
    return [
      ...codeOf(node, { sources, received }),
      ...endpointOf(node, received),
      ...outsideFiles(node, received),
    ];
  });

function codeOf(
  node: DagNode,
  { sources, received }: { readonly sources: Plan['sources']; readonly received: Received },
): readonly Reach[] {
  if (!runsCode(node)) return [];
  const { id, definition, config } = node;
  // A file that is not downloaded yet cannot be approved; the run asks again once it is.
  const isKnown = node.sources.every(({ path }) => sources.has(path));
  const hash = isKnown ? codeHash(node, sources) : `not known: ${id}`;
  const variables = definition.environment?.(config) ?? [];
  const sees = variables.length === 0 ? '' : ` (it sees ${variables.join(', ')})`;
  if (definition.code !== undefined) {
    const place = relative(received.folder, definition.code.entry).split(sep).join('/');
    return [{ stage: id, kind: 'own-stage', text: `runs the code of ${place}${sees}`, hash, received }];
  }
  const command = [config.command].flat().join(' ');
  return [{ stage: id, kind: 'command', text: `runs ${command}${sees}`, hash, received }];
}

/** A model behind an endpoint receives prompts, and the key of whoever runs the pipeline. */
function endpointOf({ id, definition, config }: DagNode, received: Received): readonly Reach[] {
  const endpoint = isObject(config.endpoint) ? config.endpoint.base_url : undefined;
  if (definition.name === 'generate' && typeof endpoint === 'string')
    return [reach(`sends its prompts, and OPENAI_API_KEY, to ${endpoint}`)];
  const { model } = config;
  if (definition.name === 'load' && typeof model === 'string' && model.startsWith('openai:'))
    return [reach(`lets ${model} answer, with your OPENAI_API_KEY`)];
  return [];

  function reach(text: string): Reach {
    return { stage: id, kind: 'endpoint', text, hash: `${id}: ${text}`, received };
  }
}

/** Files of the user's that the definition names. */
const outsideFiles = (node: DagNode, received: Received): readonly Reach[] =>
  node.sources
    .filter(({ path, resolver }) => resolver === undefined && !path.startsWith(received.folder + sep))
    .map(({ path }) => ({
      stage: node.id,
      kind: 'outside-file',
      text: `reads ${path}, outside of its folder`,
      hash: `${node.id}: ${path}`,
      received,
    }));
