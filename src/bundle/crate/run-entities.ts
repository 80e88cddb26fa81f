import { relative, sep } from 'node:path';
import type { Json } from '../../core/index.ts';
import type { ActionRecord, DagNode } from '../../runtime/index.ts';
import type { BundleContents, BundledRun } from '../contents.ts';
import type { DataEntities } from './data-entities.ts';
import { type Entity, localId, memberId, ref, refs, timestamp } from './entity.ts';

/** What the manifest says of the workflow and of its execution. */
export interface RunEntities {
  /** The identifier of the pipeline's file. */
  readonly workflow: string;
  /** The identifiers of every action. */
  readonly actions: readonly string[];
  /** The first one adds to the entity of the pipeline's file. */
  readonly entities: readonly [Entity, ...Entity[]];
}

const engine = '#tuneloom';
const language = '#tuneloom-pipeline';
const runId = '#run';
const engineRunId = '#engine-run';
const completed = { actionStatus: 'http://schema.org/CompletedActionStatus' };

/** Describes the pipeline with its steps, parameters and stages, and the execution of each as the records have it. */
export function runEntities(
  bundled: BundledRun,
  {
    contents,
    data,
    agent,
  }: { readonly contents: BundleContents; readonly data: DataEntities; readonly agent: string | undefined },
): RunEntities {
  const { dag, run, records, version } = bundled;
  const workflow = memberId(relative(contents.root, dag.file).split(sep).join('/'));
  const nodes = [...dag.nodes.values()];
  const params = parameters(bundled);
  const steps = nodes.map((node, index) =>
    stepEntities(node, { index, record: records.get(node.id), data, agent }),
  );
  const tools = [...new Map(nodes.map((node) => [toolId(node), toolEntity(node)])).values()];
  const results = finalOutputs(nodes, data);
  const by = agent === undefined ? {} : { agent: ref(agent) };
  const times = { startTime: timestamp(run.startedAt), endTime: timestamp(run.startedAt, run.milliseconds) };
  const sources = [
    ...new Set(nodes.flatMap(({ sources }) => sources.map(({ path }) => data.ofSource(path)))),
  ];
  return {
    workflow,
    actions: [runId, engineRunId, ...steps.flatMap(({ action, control }) => [action['@id'], control['@id']])],
    entities: [
      {
        '@id': workflow,
        '@type': ['File', 'SoftwareSourceCode', 'ComputationalWorkflow', 'HowTo'],
        name: dag.name,
        description: `A pipeline for tuneloom ${version}.`,
        version,
        programmingLanguage: ref(language),
        input: refs(params.formal.map((each) => each['@id'])),
        step: refs(steps.map(({ step }) => step['@id'])),
        hasPart: refs(tools.map((tool) => tool['@id'])),
      },
      { '@id': language, '@type': 'ComputerLanguage', name: 'tuneloom pipeline', version },
      { '@id': engine, '@type': 'SoftwareApplication', name: 'tuneloom', softwareVersion: version },
      ...params.formal,
      ...params.values,
      ...tools,
      ...steps.flatMap(({ step, control, action }) => [step, control, action]),
      {
        '@id': runId,
        '@type': 'CreateAction',
        name: `Run ${run.run} of ${dag.name}`,
        description: `The run reused or computed the results of ${nodes.length} stages.`,
        instrument: ref(workflow),
        ...times,
        ...by,
        ...completed,
        object: refs([...sources, ...params.values.map((each) => each['@id'])]),
        result: refs(results),
      },
      {
        '@id': engineRunId,
        '@type': 'OrganizeAction',
        name: `tuneloom ${version}`,
        description: 'Execution of the stages in the order of their inputs.',
        instrument: ref(engine),
        ...times,
        ...by,
        ...completed,
        object: refs(steps.map(({ control }) => control['@id'])),
        result: ref(runId),
      },
    ],
  };
}

/** The results that no other stage reads. */
function finalOutputs(nodes: readonly DagNode[], data: DataEntities): readonly string[] {
  const read = new Set(nodes.flatMap(({ inputs }) => Object.values(inputs).map(({ stage }) => stage)));
  return nodes
    .filter(({ id }) => !read.has(id))
    .flatMap((node) => Object.keys(node.ports.outputs).flatMap((output) => data.ofOutput(node.id, output)));
}

const toolId = ({ definition: { name, version } }: DagNode): string => localId('stage', `${name}@${version}`);

const toolEntity = (node: DagNode): Entity => ({
  '@id': toolId(node),
  '@type': 'SoftwareApplication',
  name: node.definition.name,
  description:
    node.definition.code === undefined
      ? `tuneloom's stage ${node.definition.name}.`
      : `The user's own stage ${node.definition.name}.`,
  softwareVersion: String(node.definition.version),
});

function stepEntities(
  node: DagNode,
  {
    index,
    record,
    data,
    agent,
  }: {
    readonly index: number;
    readonly record: ActionRecord | undefined;
    readonly data: DataEntities;
    readonly agent: string | undefined;
  },
): { readonly step: Entity; readonly control: Entity; readonly action: Entity } {
  const { id } = node;
  const [stepId, controlId, actionId] = ['step', 'control', 'execution'].map((kind) => localId(kind, id));
  const inputs = Object.values(node.inputs).flatMap(({ stage, output, part }) =>
    data.ofOutput(stage, output, part),
  );
  const sources = node.sources.map(({ path }) => data.ofSource(path));
  const outputs = Object.keys(node.ports.outputs).flatMap((output) => data.ofOutput(id, output));
  return {
    step: {
      '@id': stepId ?? '',
      '@type': 'HowToStep',
      name: id,
      position: String(index),
      workExample: ref(toolId(node)),
    },
    control: {
      '@id': controlId ?? '',
      '@type': 'ControlAction',
      name: `Orchestrate ${id}`,
      instrument: ref(stepId ?? ''),
      object: ref(actionId ?? ''),
    },
    action: {
      '@id': actionId ?? '',
      '@type': 'CreateAction',
      name: `Execution of ${id}`,
      description: describeExecution(record),
      instrument: ref(toolId(node)),
      ...(record !== undefined && {
        startTime: timestamp(record.provenance.startedAt),
        endTime: timestamp(record.provenance.startedAt, record.provenance.milliseconds),
        identifier: record.key,
      }),
      ...(agent !== undefined && { agent: ref(agent) }),
      ...completed,
      object: refs([...new Set([...inputs, ...sources])]),
      result: refs(outputs),
    },
  };
}

/** Where it ran, as the fingerprint in the record says. */
function describeExecution(record: ActionRecord | undefined): string {
  const { fingerprint } = record?.provenance ?? {};
  const facts = [fingerprint?.backend, fingerprint?.engine, fingerprint?.device].filter(
    (fact) => fact !== undefined,
  );
  const where =
    fingerprint === undefined ? '' : `${fingerprint.platform} ${fingerprint.arch}, Node ${fingerprint.node}`;
  return [where, ...facts].filter((part) => part !== '').join(', ') || 'Execution of a stage.';
}

/** The pipeline's parameters, and the values that the run had. */
function parameters({ dag }: BundledRun): {
  readonly formal: readonly Entity[];
  readonly values: readonly Entity[];
} {
  const entries = Object.entries(dag.params);
  return {
    formal: entries.map(([name, value]) => ({
      '@id': localId('param', name),
      '@type': 'FormalParameter',
      name,
      description: `The parameter ${name} of the pipeline.`,
      additionalType: typeOf(value),
      valueRequired: 'False',
      workExample: ref(localId('value', name)),
    })),
    values: entries.map(([name, value]) => ({
      '@id': localId('value', name),
      '@type': 'PropertyValue',
      name,
      value: typeof value === 'string' ? value : JSON.stringify(value),
      exampleOfWork: ref(localId('param', name)),
    })),
  };
}

function typeOf(value: Json): string {
  switch (typeof value) {
    case 'string':
      return 'Text';
    case 'boolean':
      return 'Boolean';
    case 'number':
      return Number.isInteger(value) ? 'Integer' : 'Float';
    default:
      return 'PropertyValue';
  }
}
