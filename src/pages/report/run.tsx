import { formatDuration, formatFigure, type Json } from '../../core/index.ts';
import type { ReportPage, StageView } from '../../view/index.ts';
import { Dag } from '../components/dag.tsx';
import { Badge, Facts, Note } from '../components/layout.tsx';
import { Table } from '../components/table.tsx';
import { DataText } from '../components/text.tsx';

type Run = ReportPage['runs'][number];

/** How a run ended -> the tone in which a page says so. */
export const outcomeTones = {
  succeeded: 'good',
  failed: 'bad',
  interrupted: 'warn',
  killed: 'bad',
  running: 'plain',
} as const;

/** What a run was: when, where, with which params, and what each stage did. */
export function RunDetails({ run, number }: { readonly run: Run; readonly number: number }) {
  const { params, outcome, milliseconds, started_at, file, machine, stages, targets } = run;
  const isOver = outcome !== 'running' && outcome !== 'killed';
  const engines = [...new Set(stages.flatMap(({ machine: own }) => own?.engine ?? []))];
  return (
    <div class="block">
      <Facts
        facts={[
          { label: 'run', value: <code>{run.run}</code> },
          { label: 'outcome', value: <Badge tone={outcomeTones[outcome]}>{outcome}</Badge> },
          { label: 'pipeline file', value: <DataText text={file} /> },
          { label: 'started', value: <time dateTime={started_at}>{readableTime(started_at)}</time> },
          ...(isOver ? [{ label: 'duration', value: formatDuration(milliseconds) }] : []),
          { label: 'stages', value: countsOf(stages) },
          ...(targets.length === 0 ? [] : [{ label: 'asked for', value: targets.join(', ') }]),
          { label: 'machine', value: machineText(machine) },
          ...(engines.length === 0 ? [] : [{ label: 'engine', value: engines.join(', ') }]),
        ]}
      />
      {Object.keys(params).length > 0 && (
        <>
          <h3>Params{run.overridden && <span class="soft small"> changed for this run</span>}</h3>
          <Facts
            facts={Object.entries(params).map(([label, value]) => ({
              label,
              value: <Value value={value} />,
            }))}
          />
        </>
      )}
      <Problems stages={stages} />
      <Dag
        layout={run.layout}
        label={`Graph of the stages of run ${run.run}`}
        hrefOf={(stage) =>
          `#${rowId(
            number,
            stages.findIndex(({ id }) => id === stage),
          )}`
        }
      />
      <p class="small soft no-print">A solid box ran, a dashed one was reused.</p>
      <details>
        <summary>
          Every stage: settings, digests, times <span class="soft small">{stages.length}</span>
        </summary>
        <div class="details-body">
          <StageTable stages={stages} number={number} />
        </div>
      </details>
    </div>
  );
}

const rowId = (run: number, stage: number): string => `stage-${run}-${stage}`;

/** `2026-03-01 10:22:05 UTC`, the same wherever the file is opened. */
export const readableTime = (time: string): string => time.replace('T', ' ').replace(/\.\d+Z$/, ' UTC');

const countsOf = (stages: readonly StageView[]): string =>
  (['ran', 'reused', 'failed', 'skipped'] as const)
    .map((decision) => [stages.filter((stage) => stage.decision === decision).length, decision] as const)
    .filter(([count]) => count > 0)
    .map(([count, decision]) => `${count} ${decision}`)
    .join(', ');

const machineText = ({ platform, arch, node, instructionSet }: Readonly<Record<string, Json>>): string =>
  [
    `${platform} ${arch}`,
    ...(instructionSet ? [instructionSet] : []),
    `Node ${String(node).replace(/^v/, '')}`,
  ].join(', ');

function Value({ value }: { readonly value: Json }) {
  return <DataText text={typeof value === 'string' ? value : JSON.stringify(value)} />;
}

/** Failures, then warnings. */
function Problems({ stages }: { readonly stages: readonly StageView[] }) {
  return (
    <>
      {stages.map(({ id, failure }) =>
        failure === undefined ? null : (
          <Note tone="bad" key={id}>
            <strong>{id} failed.</strong>{' '}
            <DataText text={'message' in failure ? failure.message : failure.kind.replaceAll('-', ' ')} />
          </Note>
        ),
      )}
      {stages
        .filter(({ warnings }) => warnings.length > 0)
        .map(({ id, warnings }) => (
          <Note tone="warn" key={id}>
            <strong>{id}</strong>:{' '}
            {warnings.map((warning) => (
              <DataText key={warning} text={warning} />
            ))}
          </Note>
        ))}
    </>
  );
}

function StageTable({ stages, number }: { readonly stages: readonly StageView[]; readonly number: number }) {
  return (
    <Table<StageView>
      label={`Table of the stages of run ${number + 1}`}
      rows={stages}
      rowKey={({ id }) => id}
      rowId={({ id }) =>
        rowId(
          number,
          stages.findIndex((stage) => stage.id === id),
        )
      }
      columns={[
        { title: 'stage', cell: ({ id }) => id, sortBy: ({ id }) => id },
        { title: 'uses', cell: ({ uses }) => uses, sortBy: ({ uses }) => uses },
        {
          title: 'result',
          cell: (stage) => <Outcome stage={stage} />,
          sortBy: ({ decision }) => decision,
        },
        {
          title: 'took',
          kind: 'number',
          cell: ({ milliseconds }) => (milliseconds === undefined ? '' : formatDuration(milliseconds)),
          sortBy: ({ milliseconds }) => milliseconds,
          first: 'descending',
        },
        { title: 'settings and outputs', cell: (stage) => <Settings stage={stage} /> },
      ]}
    />
  );
}

function Outcome({ stage: { decision, because, made_by } }: { readonly stage: StageView }) {
  return (
    <>
      {decision}
      {because === undefined ? '' : <span class="soft small">: {because}</span>}
      {made_by === undefined ? '' : <span class="soft small"> from {made_by}</span>}
    </>
  );
}

function Settings({ stage: { config, outputs, measurements, machine, key } }: { readonly stage: StageView }) {
  return (
    <details>
      <summary>{outputs.map(({ name, part }) => part ?? name).join(', ') || 'none'}</summary>
      <dl class="facts small details-body">
        {outputs.map(({ name, part, digest }) => (
          <div key={`${name}.${part}`}>
            <dt>{part === undefined ? name : `${name}.${part}`}</dt>
            <dd>
              <code>{digest}</code>
            </dd>
          </div>
        ))}
        {Object.entries(config ?? {}).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Value value={value} />
            </dd>
          </div>
        ))}
        {Object.entries({ ...measurements, ...machine }).map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll('_', ' ')}</dt>
            <dd>{typeof value === 'number' ? formatFigure(value) : <Value value={value} />}</dd>
          </div>
        ))}
        {key !== undefined && (
          <div>
            <dt>key</dt>
            <dd>
              <code>{key}</code>
            </dd>
          </div>
        )}
      </dl>
    </details>
  );
}
