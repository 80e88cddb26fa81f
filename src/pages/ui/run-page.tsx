import { useState } from 'preact/hooks';
import { formatCount, formatDuration, formatFigure } from '../../core/index.ts';
import type { Drawing, RunOutput, RunRecord } from '../../server/index.ts';
import { Badge, Facts, Note, Section } from '../components/layout.tsx';
import { Plot } from '../components/plot.tsx';
import { Table } from '../components/table.tsx';
import { type RequestError, send } from './api.ts';
import { useData, useInterval } from './hooks.ts';
import { type LiveRun, type LiveStage, useLiveRun } from './live-run.ts';
import { Duration, PageHead, Problem, type RunDetail, StateBadge, Time } from './parts.tsx';
import { linkTo } from './route.ts';
import { RunLog } from './run-log.tsx';

/** One run: what each stage did, the losses, and while it goes on its progress, its log and the button that stops it. */
export function RunPage({ run: id }: { readonly run: string }) {
  const { run, live } = useLiveRun(id);
  const isRunning = run?.outcome === 'running';
  const detail = useData<RunDetail>(run === undefined ? undefined : `runs/${id}`, { of: run?.outcome });
  const drawings = useData<readonly Drawing[]>(run === undefined ? undefined : `runs/${id}/drawings`, {
    of: run?.outcome,
  });
  useInterval(drawings.reload, isRunning ? 2000 : undefined);
  const missing = useData<RunDetail>(`runs/${id}`);
  if (run === undefined) return <Problem error={missing.error} />;
  return (
    <>
      <PageHead title={`Run of ${detail.data?.pipeline ?? run.file}`}>
        <div class="row">
          <StateBadge state={run.outcome} />
          <span class="soft">
            <Time iso={run.startedAt} />
            {!isRunning && run.outcome !== 'killed' && `, ${formatDuration(run.milliseconds)}`}
          </span>
          {isRunning && <Stop run={run} />}
        </div>
      </PageHead>
      <Params run={run} />
      <Section id="stages" title="Stages">
        <Stages run={run} live={live} outputs={detail.data?.outputs ?? []} />
      </Section>
      {drawings.data !== undefined && drawings.data.length > 0 && (
        <Section id="losses" title="Training">
          {drawings.data.map((drawing) => (
            <Plot key={drawing.title} {...drawing} />
          ))}
        </Section>
      )}
      {(isRunning || run.outcome === 'failed' || run.outcome === 'killed' || live.notes.length > 0) && (
        <RunLog run={run} live={live} />
      )}
    </>
  );
}

function Params({ run: { params, run, overridden, targets, fingerprint } }: { readonly run: RunRecord }) {
  const { node, platform, arch } = fingerprint ?? {};
  const facts = [
    ...Object.entries(params).map(([label, value]) => ({
      label,
      value: typeof value === 'string' ? value : JSON.stringify(value),
    })),
    ...(targets.length > 0 ? [{ label: 'only', value: targets.join(', ') }] : []),
    ...(overridden ? [{ label: 'params', value: 'not those of the file' }] : []),
    { label: 'run', value: <span class="mono">{run}</span> },
    { label: 'machine', value: [platform, arch, node && `Node ${node}`].filter(Boolean).join(', ') },
  ];
  return <Facts facts={facts} />;
}

function Stop({ run }: { readonly run: RunRecord }) {
  const [isAsked, setAsked] = useState(false);
  const [error, setError] = useState<RequestError | undefined>(undefined);
  const stop = (): void => {
    setAsked(true);
    send('POST', `runs/${run.run}/stop`).catch((problem: RequestError) => {
      setAsked(false);
      setError(problem);
    });
  };
  return (
    <>
      <button type="button" class="button" disabled={isAsked} onClick={stop}>
        {isAsked ? 'Stopping; finished stages are kept' : 'Stop'}
      </button>
      <Problem error={error} />
    </>
  );
}

/** A stage of the table: how it ended, or how far it is. */
interface StageRow extends Omit<LiveStage, 'state'> {
  readonly id: string;
  readonly state: LiveStage['state'] | 'waiting' | 'unfinished' | 'interrupted';
  readonly outputs: readonly RunOutput[];
}

function Stages({
  run,
  live,
  outputs,
}: {
  readonly run: RunRecord;
  readonly live: LiveRun;
  readonly outputs: readonly RunOutput[];
}) {
  const isLive = run.outcome === 'running' || run.outcome === 'killed';
  const rows = isLive ? liveRows(run, live) : recordedRows(run);
  if (rows.length === 0)
    return <Note>{run.outcome === 'running' ? 'No stage has begun yet.' : 'No stage ended.'}</Note>;
  return (
    <Table
      label="What each stage did"
      rows={rows.map(
        (row): StageRow => ({ ...row, outputs: outputs.filter(({ stage }) => stage === row.id) }),
      )}
      rowKey={({ id }) => id}
      columns={[
        { title: 'Stage', kind: 'nowrap', cell: ({ id }) => id },
        { title: 'State', cell: ({ state }) => <StageBadge state={state} /> },
        {
          title: 'Time',
          kind: 'number',
          cell: ({ milliseconds }) => <Duration milliseconds={milliseconds} />,
        },
        {
          title: 'What',
          cell: ({ progress, state, reason, outputs: own }) => (
            <>
              {progress && state === 'running' ? <Progress progress={progress} /> : null}
              {state !== 'running' && own.length > 0 ? <Results run={run.run} outputs={own} /> : null}
              {reason && <span class="soft small reason">{reason}</span>}
            </>
          ),
        },
      ]}
    />
  );
}

function liveRows(run: RunRecord, { planned, stages }: LiveRun): readonly Omit<StageRow, 'outputs'>[] {
  const names = [...new Set([...planned, ...Object.keys(stages)])];
  const isOver = run.outcome === 'killed';
  return names.map((id) => {
    const stage = stages[id];
    if (stage === undefined) return { id, state: isOver ? 'unfinished' : 'waiting' };
    return { id, ...stage, state: isOver && stage.state === 'running' ? 'unfinished' : stage.state };
  });
}

const recordedRows = ({ stages }: RunRecord): readonly Omit<StageRow, 'outputs'>[] =>
  Object.entries(stages).map(([id, outcome]) => {
    switch (outcome.decision) {
      case 'reused':
        return { id, state: 'reused' };
      case 'skipped':
        return { id, state: 'skipped', reason: outcome.because };
      default: {
        const { decision, milliseconds, reason } = outcome;
        // Whoever stops a run knows that its stage did not fail.
        const isStopped = decision === 'failed' && outcome.failure.kind === 'interrupted';
        return { id, state: isStopped ? 'interrupted' : decision, milliseconds, reason };
      }
    }
  });

const stageTones = {
  ran: 'good',
  failed: 'bad',
  unfinished: 'bad',
  interrupted: 'warn',
  skipped: 'warn',
} as const;

const StageBadge = ({ state }: Pick<StageRow, 'state'>) => (
  <Badge tone={state in stageTones ? stageTones[state as keyof typeof stageTones] : 'plain'}>
    {state === 'running' && <span class="pulse" aria-hidden="true" />}
    {state}
  </Badge>
);

/** How far a stage is, with its figures. */
function Progress({ progress: { done, total, unit, figures = {} } }: Required<Pick<LiveStage, 'progress'>>) {
  return (
    <div class="progress">
      <progress value={done} max={total ?? done} aria-label={`${unit} ${done} of ${total ?? '?'}`} />
      <span class="small">
        {unit} {formatCount(done)}
        {total !== undefined && ` of ${formatCount(total)}`}
      </span>
      {Object.entries(figures).map(([name, value]) => (
        <span class="small soft" key={name}>
          {name.replaceAll('_', ' ')} <span class="figure">{formatFigure(value)}</span>
        </span>
      ))}
    </div>
  );
}

/** Links to what a stage made, and to the pages where people judge it. */
function Results({ run, outputs }: { readonly run: string; readonly outputs: readonly RunOutput[] }) {
  return (
    <ul class="links">
      {outputs.map(({ stage, output, part, type }) => (
        <li key={`${output} ${part}`}>
          <a href={linkTo('artifacts', { run, stage, output, part })}>{part ?? output}</a>
          {type === 'responses' && <a href={linkTo('review', { run, stage })}>review</a>}
          {type === 'model' && <a href={linkTo('chat', { run, stage })}>chat</a>}
        </li>
      ))}
    </ul>
  );
}
