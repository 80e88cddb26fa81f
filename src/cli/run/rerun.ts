import {
  type ActionRecord,
  contentState,
  type Dag,
  digestsAt,
  type Remotes,
  type Rerun,
  rerunStages,
  type Store,
} from '../../runtime/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { reportMistakes } from '../open-pipeline.ts';
import { describeFailure } from '../reporter/describe-failure.ts';
import { openReporter } from '../reporter/open-reporter.ts';
import { formatFigure } from '../terminal/format-number.ts';
import { labeledText } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { differenceIn } from './compare-content.ts';
import { type ComparedNumber, numbersOf } from './compare-scores.ts';

/** `tuneloom run --rerun`: runs finished stages again in a scratch store and compares the results. */
export async function rerun({
  dag,
  store,
  stages,
  resources,
  json,
  context,
  remotes,
}: RerunCall): Promise<ExitCode> {
  const { terminal, stageProcess } = context;
  const audited: AuditedStage[] = [];
  const reporter = await openReporter({ terminal, json });
  using interruption = Interruption.listen({ terminal, notice: reporter.notice });
  const result = await rerunStages({
    dag,
    store,
    stageProcess,
    stages,
    resources,
    ...(remotes && { remotes }),
    signal: interruption.signal,
    // Each stage is its own run, whose other events would only repeat what the verdict says.
    onEvent: (event) => {
      if (event.type === 'stage-report') reporter.handle(event);
    },
    onRerun: async (stage, rerun) => {
      const verdict = await auditStage(store, { stage, rerun, dag });
      audited.push(verdict);
      if (json) return;
      const lines = [verdictText(verdict), ...(verdict.numbers ?? []).map(numberText)];
      terminal.print(labeledText([{ label: stage, text: lines.join('\n') }], { terminal }));
    },
  }).finally(reporter.close);
  if (!result.ok) return reportMistakes(result.error, { terminal, json });
  if (json) terminal.print(JSON.stringify({ type: 'audit', pipeline: dag.name, stages: audited }));
  else terminal.print(`${dag.name}: ${summaryOf(audited)}`);
  if (interruption.signal.aborted) return interruption.code;
  return codeOf(audited);
}

interface RerunCall {
  readonly dag: Dag;
  readonly store: Store;
  readonly stages: readonly string[];
  readonly resources: { readonly backend?: string };
  readonly json: boolean | undefined;
  readonly context: CommandContext;
  /** Where inputs are fetched that are not here. */
  readonly remotes: Remotes | undefined;
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
      return `differs, as expected (${reason.join()}): ${places.join('; ')}`;
    case 'failed':
      return `failed: ${reason.join()}`;
    case 'not-cached':
      return `left out: ${reason.join()}`;
    default:
      return verdict satisfies never;
  }
}

const numberText = ({ name, first, again }: ComparedNumber): string =>
  first === again
    ? `${name} ${formatFigure(first)}, the same`
    : `${name} ${formatFigure(first)}, now ${again === undefined ? 'not there' : formatFigure(again)}`;

function summaryOf(audited: readonly AuditedStage[]): string {
  const count = (verdict: AuditedStage['verdict']) => audited.filter((one) => one.verdict === verdict).length;
  const equal = `${count('equal')} of ${audited.length} stages gave the same bytes again`;
  const differing = count('differs');
  return differing === 0
    ? equal
    : `${equal}; ${differing} ${differing === 1 ? 'differs' : 'differ'} and should not`;
}

function codeOf(audited: readonly AuditedStage[]): ExitCode {
  if (audited.some(({ verdict }) => verdict === 'differs')) return exitCode.integrity;
  return audited.some(({ verdict }) => verdict === 'failed') ? exitCode.stageFailed : exitCode.success;
}

/** The outcome of running one stage again. */
interface AuditedStage {
  readonly stage: string;
  /** `unlike`: the difference is expected: another engine or a model behind an endpoint made it. */
  readonly verdict: 'equal' | 'differs' | 'unlike' | 'failed' | 'not-cached';
  /** For each output that differs, the first place. */
  readonly differences: readonly { readonly output: string; readonly where: string }[];
  readonly why?: string;
  /** Each number in its scores, as it was and as it is now. */
  readonly numbers?: readonly ComparedNumber[];
}

async function auditStage(
  store: Store,
  { stage, rerun, dag }: { readonly stage: string; readonly rerun: Rerun; readonly dag: Dag },
): Promise<AuditedStage> {
  switch (rerun.kind) {
    case 'not-cached':
      return { stage, verdict: 'not-cached', differences: [], why: 'there is no result to compare with' };
    case 'failed': {
      const why = rerun.failure === undefined ? 'it did not run' : describeFailure(rerun.failure).message;
      return { stage, verdict: 'failed', differences: [], why };
    }
    case 'reran': {
      const differences = await differencesOf(store, rerun);
      const found = await numbersOf(store, { rerun, ports: dag.nodes.get(stage)?.ports.outputs ?? {} });
      const numbers = found.length === 0 ? {} : { numbers: found };
      if (differences.length === 0) return { stage, verdict: 'equal', differences, ...numbers };
      const why = reasonToDiffer(rerun);
      return why === undefined
        ? { stage, verdict: 'differs', differences, ...numbers }
        : { stage, verdict: 'unlike', differences, why, ...numbers };
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
    const isHere = (await contentState(store, digest)) === 'present';
    const where = !isHere
      ? 'the first is not on this machine, and no remote gives it'
      : pair === undefined
        ? 'it was not written again'
        : await differenceIn(pair);
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

/** Why two executions may differ: floats depend on what computes them, and an endpoint may answer anything. */
function reasonToDiffer({ first, again }: Extract<Rerun, { kind: 'reran' }>): string | undefined {
  const engines = [first, again].map(({ provenance, measurements }) => {
    const { backend, threads } = provenance.fingerprint;
    const { engine, instructionSet, device } = measurements;
    return JSON.stringify([backend, threads, engine, instructionSet, device]);
  });
  if (again.material.uses === 'generate' && again.provenance.fingerprint.backend === undefined)
    return 'the model is behind an endpoint';
  return engines[0] === engines[1] ? undefined : 'another engine, processor or number of threads computed it';
}
