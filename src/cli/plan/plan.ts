import {
  describeRun,
  describeWaiting,
  type PlannedStage,
  planPipeline,
  type Remotes,
  type Settings,
} from '../../runtime/index.ts';
import type { CommandCall, CommandContext } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { openPipeline, reportMistakes } from '../open-pipeline.ts';
import { settingsOf, storeIn } from '../open-settings.ts';
import { reusedText } from '../reporter/reporter.ts';
import { counted, formatDuration } from '../terminal/format-number.ts';
import { labeledText } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** `tuneloom plan`: shows what a run would do, and changes nothing. */
export async function planCommand({ words, options, context }: CommandCall<PlanOptions>): Promise<ExitCode> {
  const opened = await openPipeline({ words, options, context, names: 'any' });
  if (!opened) return exitCode.badUsage;
  const { dag, names } = opened;
  const call = { file: dag.file, options, context };
  const settings = options.remote
    ? await (await import('../approve-settings.ts')).usableSettings(call)
    : await settingsOf(call);
  const store = storeIn(settings, context);
  const remotes = options.remote ? await openRemotesOf(settings, context) : undefined;
  const plan = await planPipeline({ dag, store, targets: names, ...(remotes && { remotes }) });
  if (!plan.ok) return reportMistakes(plan.error, { terminal: context.terminal, json: options.json });
  const { expectedMemory } = await import('./expected-memory.ts');
  const memory = await expectedMemory(plan.value, store);
  const view = {
    pipeline: dag.name,
    stages: [...plan.value.stages.values()].map((stage) => stageView(stage, memory.get(stage.node.id))),
  };
  context.terminal.print(options.json ? JSON.stringify(view) : planText(view, context.terminal));
  const upToDate = view.stages.every(({ decision }) => decision === 'reuse');
  return options.check && !upToDate ? exitCode.outOfDate : exitCode.success;
}

async function openRemotesOf(settings: Settings, context: CommandContext): Promise<Remotes> {
  if (settings.remotes.size === 0)
    throw new UsageError({
      message: 'the settings name no remote',
      help: 'add one, as in `tuneloom remote add team s3://bucket/folder`',
    });
  const { complainOf, openRemotes } = await import('../use-remotes.ts');
  return await openRemotes(settings, { context, onProblem: complainOf(context) });
}

export interface PlanOptions extends PipelineOptions {
  /** Whether to ask remotes. */
  readonly remote?: boolean;
  readonly check?: boolean;
}

/** What a run would do with a stage, for people and programs. */
interface StageView {
  readonly stage: string;
  readonly uses: string;
  readonly decision: PlannedStage['decision']['kind'];
  /** Why it would run, or what it waits for; absent if it is reused. */
  readonly reason?: string;
  readonly waits_for?: readonly string[];
  /** Addresses of remote sources that have not been resolved yet. */
  readonly unresolved?: readonly string[];
  readonly key?: string;
  /** The remote that has outputs of it which are not on this machine. */
  readonly remote?: string;
  /** Expected peak memory in bytes, where it can be known before the run. */
  readonly expected_memory?: number;
  /** The duration of its last run. */
  readonly last_milliseconds?: number;
}

function stageView(
  { node, decision, lastMilliseconds }: PlannedStage,
  memory: number | undefined,
): StageView {
  return {
    stage: node.id,
    uses: node.definition.name,
    decision: decision.kind,
    ...why(decision),
    ...(lastMilliseconds === undefined ? {} : { last_milliseconds: lastMilliseconds }),
    ...(memory === undefined ? {} : { expected_memory: memory }),
  };
}

function why(decision: PlannedStage['decision']): Partial<StageView> {
  switch (decision.kind) {
    case 'reuse':
      return { key: decision.key, ...(decision.remote !== undefined && { remote: decision.remote }) };
    case 'run':
      return { key: decision.key, reason: describeRun(decision) };
    case 'undecided':
      return {
        reason: describeWaiting(decision),
        waits_for: decision.waitsFor,
        ...(decision.unresolved.length > 0 && { unresolved: decision.unresolved }),
      };
    default:
      return decision satisfies never;
  }
}

/** What would run and why; all stages that would be reused share one line. */
function planText(
  { pipeline, stages }: { pipeline: string; stages: readonly StageView[] },
  terminal: Terminal,
): string {
  const reused = stages.filter(({ decision }) => decision === 'reuse').map(({ stage }) => stage);
  const others = stages.filter(({ decision }) => decision !== 'reuse');
  if (others.length === 0)
    return `${pipeline}: nothing would run; ${counted(reused.length, 'stage')} up to date`;
  const lines = others.map((stage) => ({ label: stage.stage, text: sentence(stage) }));
  return [
    `${pipeline}: ${headline(others)}`,
    ...(reused.length === 0 ? [] : [`  ${terminal.colors.dim(reusedText(reused, terminal.columns - 2))}`]),
    labeledText(lines, { terminal }),
  ].join('\n');
}

function headline(stages: readonly StageView[]): string {
  const runs = stages.filter(({ decision }) => decision === 'run').length;
  const waits = stages.length - runs;
  return `${counted(runs, 'stage')} would run${waits === 0 ? '' : `, ${waits} may follow`}`;
}

function sentence({ decision, reason = '', last_milliseconds, expected_memory }: StageView): string {
  const facts = [
    ...(expected_memory === undefined ? [] : [`about ${(expected_memory / 1e9).toFixed(1)} GB of memory`]),
    ...(last_milliseconds === undefined ? [] : [`last time ${formatDuration(last_milliseconds)}`]),
  ];
  const took = facts.length === 0 ? '' : ` (${facts.join('; ')})`;
  return `${decision === 'run' ? `runs: ${safeLine(reason)}` : safeLine(reason)}${took}`;
}
