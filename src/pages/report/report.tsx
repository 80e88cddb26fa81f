import { type ComponentChildren, render } from 'preact';
import { formatCount, formatDuration } from '../../core/index.ts';
import type { ReportPage, RunColumn } from '../../view/index.ts';
import { Batch } from '../components/batch.tsx';
import { Experiments } from '../components/experiments.tsx';
import { Badge, Contents, Section } from '../components/layout.tsx';
import { Plot } from '../components/plot.tsx';
import { Scores } from '../components/score-table.tsx';
import { DataText } from '../components/text.tsx';
import { Answers } from './answers.tsx';
import { ComparedRuns } from './comparison.tsx';
import { outcomeTones, RunDetails, readableTime } from './run.tsx';
import { Training } from './training.tsx';

/** The page of a report, in the order in which people ask: how good, how it learned, what it answers, what was run. */
function ReportView({ report }: { readonly report: ReportPage }) {
  const { title, runs, scores, trainings, answers, batches, sweep, comparison, overlay } = report;
  const nameOf = ({ run, stage, in_all_runs }: RunColumn) =>
    runs.length === 1 || in_all_runs ? stage : `${stage} · ${run.split('-').at(-1)}`;
  const sections = [
    ...(comparison ? [{ id: 'compared', title: 'Compared' }] : []),
    ...(sweep
      ? [{ id: 'sweep', title: sweep.experiments.some(({ point }) => point) ? 'Sweep' : 'Runs compared' }]
      : []),
    ...(scores.length > 0 && !sweep ? [{ id: 'scores', title: 'Scores' }] : []),
    ...(trainings.length > 0 ? [{ id: 'training', title: 'Training' }] : []),
    ...(answers.length > 0 ? [{ id: 'answers', title: 'Answers' }] : []),
    ...(batches.length > 0 ? [{ id: 'batches', title: 'Batches' }] : []),
    { id: 'run', title: runs.length === 1 ? 'Run' : 'Runs' },
  ];
  const titleOf = (id: string) => sections.find((section) => section.id === id)?.title;
  const section = (id: string, content: () => ComponentChildren) => {
    const own = titleOf(id);
    return own === undefined ? null : (
      <Section id={id} title={own}>
        {content()}
      </Section>
    );
  };
  return (
    <div class="page">
      <a class="skip" href={`#${sections[0]?.id}`}>
        Skip to the results
      </a>
      <header class="page-head">
        <h1>{title}</h1>
        <Headline runs={runs} />
      </header>
      <Contents sections={sections} />
      <main>
        {section('compared', () => comparison && <ComparedRuns comparison={comparison} />)}
        {section(
          'sweep',
          () =>
            sweep && (
              <>
                {sweep.plot !== undefined && <Plot title="Plot of the sweep" svg={sweep.plot} />}
                <Experiments table={sweep} label="Table of the sweep" />
              </>
            ),
        )}
        {section('scores', () =>
          scores.map((table) => (
            <div class="block" key={table.columns.map(nameOf).join()}>
              {table.plot !== undefined && (
                <Plot
                  title={`Plot of the scores of ${table.columns.map(nameOf).join(', ')}`}
                  svg={table.plot}
                />
              )}
              <Scores table={table} nameOf={nameOf} />
            </div>
          )),
        )}
        {section('training', () => (
          <>
            {overlay !== undefined && <Plot title="Plot of the losses of all trainings" svg={overlay} />}
            {trainings.map((training) =>
              trainings.length === 1 ? (
                <Training key={nameOf(training)} training={training} name={nameOf(training)} />
              ) : (
                <details key={nameOf(training)}>
                  <summary>
                    <strong>{nameOf(training)}</strong> <span class="soft small">{outcomeOf(training)}</span>
                  </summary>
                  <div class="details-body">
                    <Training training={training} name={nameOf(training)} />
                  </div>
                </details>
              ),
            )}
          </>
        ))}
        {section('answers', () =>
          answers.map((index, table) => (
            <Answers key={index.columns.map(nameOf).join()} index={index} table={table} nameOf={nameOf} />
          )),
        )}
        {section('batches', () => batches.map((batch) => <Batch key={nameOf(batch)} batch={batch} />))}
        {section('run', () =>
          runs.map((run, number) =>
            runs.length === 1 ? (
              <RunDetails key={run.run} run={run} number={number} />
            ) : (
              <details key={run.run}>
                <summary>
                  {run.pipeline} <code>{run.run}</code> <span class="soft small">{run.outcome}</span>
                </summary>
                <RunDetails run={run} number={number} />
              </details>
            ),
          ),
        )}
      </main>
    </div>
  );
}

/** The outcome, when and how long; of several runs one line each. */
function Headline({ runs }: Pick<ReportPage, 'runs'>) {
  return (
    <>
      {runs.slice(0, MOST_LINES).map(({ run, outcome, started_at, milliseconds, file }) => (
        <p class="row small soft" key={run}>
          <Badge tone={outcomeTones[outcome]}>{outcome}</Badge>
          <time dateTime={started_at}>{readableTime(started_at)}</time>
          {milliseconds > 0 && <span>{formatDuration(milliseconds)}</span>}
          <DataText text={file} />
          {runs.length > 1 && <code>{run.split('-').at(-1)}</code>}
        </p>
      ))}
      {runs.length > MOST_LINES && <p class="small soft">and {runs.length - MOST_LINES} more runs</p>}
    </>
  );
}

const MOST_LINES = 4;

function outcomeOf({ overfitting, kept_step }: ReportPage['trainings'][number]): string {
  const kept = kept_step === undefined ? [] : [`kept step ${formatCount(kept_step)}`];
  const over =
    overfitting === undefined ? [] : [`overfitting begins at step ${formatCount(overfitting.step)}`];
  return [...over, ...kept].join(', ');
}

const [root, data] = [document.getElementById('root'), document.getElementById('report-data')];
// The command wrote it from a page of this type.
if (root && data) render(<ReportView report={JSON.parse(data.textContent ?? '') as ReportPage} />, root);
