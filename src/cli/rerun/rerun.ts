import {
  type ActionRecord,
  type Dag,
  digestsAt,
  type Rerun,
  rerunStages,
  type Store,
} from '../../runtime/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import type { RunOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { reportMistakes } from '../open-pipeline.ts';
import { describeFailure } from '../reporter/describe-failure.ts';
import { openReporter } from '../reporter/open-reporter.ts';
import { labelledText } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { differenceIn } from './compare-content.ts';

interface RerunCall {
  readonly dag: Dag;
  readonly store: Store;
  readonly stages: readonly string[];
  readonly options: RunOptions;
  readonly context: CommandContext;
}

/** `tuneloom run --rerun`: runs finished stages again in a scratch store and compares what they give. */
export async function executeRerun(call: RerunCall): Promise<ExitCode> {
  const { dag, store, stages, options, context } = call;
  const { terminal, stageProcess } = context;
  const audited: AuditedStage[] = [];
  const reporter = await openReporter({ terminal, json: options.json });
  using interruption = Interruption.listen({ terminal, notice: reporter.notice });
  const result = await rerunStages({
    dag,
    store,
    stageProcess,
    stages,
    ...(options.backend === undefined ? {} : { resources: { backend: options.backend } }),
    signal: interruption.signal,
    // Each stage is a run of its own; of its start and end only the stage's are worth telling.
    onEvent: (event) => {
      if (event.type === 'stage-report') reporter.handle(event);
    },
    onRerun: async (stage, rerun) => {
      const verdict = await auditStage(store, { stage, rerun });
      audited.push(verdict);
      if (!options.json)
        terminal.print(labelledText([{ label: stage, text: verdictText(verdict) }], { terminal }));
    },
  }).finally(reporter.close);
  if (!result.ok) return reportMistakes(result.error, { terminal, json: options.json });
  if (options.json) terminal.print(JSON.stringify({ type: 'audit', pipeline: dag.name, stages: audited }));
  else terminal.print(`${dag.name}: ${summaryOf(audited)}`);
  if (interruption.signal.aborted) return exitCode.interrupted;
  return codeOf(audited);
}

function verdictText({ verdict, differences, why }: AuditedStage): string {
  const places = differences.map(({ output, where }) => `${output}: ${safeLine(where)}`);
  const reason = why === undefined ? [] : [safeLine(why)];
  switch (verdict) {
    case 'equal':
      return 'equal';
    case 'differs':
      return `differs: ${places.join('; ')}`;
    case 'unlike':
      return `differs, as it may (${reason.join()}): ${places.join('; ')}`;
    case 'failed':
      return `failed: ${reason.join()}`;
    case 'not-cached':
      return `left out: ${reason.join()}`;
    default:
      return verdict satisfies never;
  }
}

function summaryOf(audited: readonly AuditedStage[]): string {
  const count = (verdict: AuditedStage['verdict']) => audited.filter((one) => one.verdict === verdict).length;
  const equal = `${count('equal')} of ${audited.length} stages came to the same bytes again`;
  return count('differs') === 0 ? equal : `${equal}; ${count('differs')} differ and should not`;
}

function codeOf(audited: readonly AuditedStage[]): ExitCode {
  if (audited.some(({ verdict }) => verdict === 'differs')) return exitCode.integrity;
  return audited.some(({ verdict }) => verdict === 'failed') ? exitCode.stageFailed : exitCode.success;
}

/** What came of running one stage again. */
interface AuditedStage {
  readonly stage: string;
  /** `unlike`: it differs where it need not be the same: another engine made it, or a model behind an endpoint. */
  readonly verdict: 'equal' | 'differs' | 'unlike' | 'failed' | 'not-cached';
  /** For each output that differs, where. */
  readonly differences: readonly { readonly output: string; readonly where: string }[];
  readonly why?: string;
}

async function auditStage(
  store: Store,
  { stage, rerun }: { readonly stage: string; readonly rerun: Rerun },
): Promise<AuditedStage> {
  switch (rerun.kind) {
    case 'not-cached':
      return { stage, verdict: 'not-cached', differences: [], why: 'it has no result to compare with' };
    case 'failed': {
      const why = rerun.failure === undefined ? 'it did not run' : describeFailure(rerun.failure).message;
      return { stage, verdict: 'failed', differences: [], why };
    }
    case 'reran': {
      const differences = await differencesOf(store, rerun);
      if (differences.length === 0) return { stage, verdict: 'equal', differences };
      const why = excuseOf(rerun);
      return why === undefined
        ? { stage, verdict: 'differs', differences }
        : { stage, verdict: 'unlike', differences, why };
    }
    default:
      return rerun satisfies never;
  }
}

async function differencesOf(
  store: Store,
  { first, again, scratch }: Extract<Rerun, { kind: 'reran' }>,
): Promise<AuditedStage['differences']> {
  const differences: { output: string; where: string }[] = [];
  const others = new Map(contentsOf(again));
  for (const [output, digest] of contentsOf(first)) {
    const other = others.get(output);
    if (other === digest) continue;
    const pair = other && { first: { store, digest }, again: { store: scratch, digest: other } };
    const where = pair === undefined ? 'it was not written again' : await differenceIn(pair);
    differences.push({ output, where });
  }
  return differences;
}

const contentsOf = ({ outputs }: ActionRecord) =>
  Object.entries(outputs).flatMap(([port, content]) =>
    [...digestsAt(content)].map(
      ({ digest, part }) => [part === undefined ? port : `${port}.${part}`, digest] as const,
    ),
  );

/** Why two executions may differ: floats follow what computes them, and an endpoint answers as it likes. */
function excuseOf({
  first,
  again,
}: {
  readonly first: ActionRecord;
  readonly again: ActionRecord;
}): string | undefined {
  const engines = [first, again].map(({ provenance, measurements }) => {
    const { backend, threads } = provenance.fingerprint;
    const { engine, instructionSet, device } = measurements;
    return JSON.stringify([backend, threads, engine, instructionSet, device]);
  });
  if (again.material.uses === 'generate' && again.provenance.fingerprint.backend === undefined)
    return 'the model is behind an endpoint';
  return engines[0] === engines[1] ? undefined : 'another engine, processor or number of threads computed it';
}
