import { render } from 'preact';
import type { ReportPage } from '../../view/index.ts';
import { Batch } from '../components/batch.tsx';
import { Experiments } from '../components/experiments.tsx';
import { Contents, Section } from '../components/layout.tsx';
import { Plot } from '../components/plot.tsx';
import { Scores } from '../components/score-table.tsx';
import { Answers } from './answers.tsx';
import { ComparedRuns } from './comparison.tsx';
import { RunDetails } from './run.tsx';
import { Training } from './training.tsx';

type Column = { readonly run: string; readonly stage: string };

/** The page of a report, in the order in which people ask: how good, how it learned, what it answers, what was run. */
function ReportView({ report }: { readonly report: ReportPage }) {
  const { title, made_by, runs, scores, trainings, answers, batches, sweep, comparison, overlay } = report;
  const nameOf = ({ run, stage }: Column) =>
    runs.length === 1 ? stage : `${stage} · ${run.split('-').at(-1)}`;
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
  const section = (id: string, content: () => preact.ComponentChildren) => {
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
        <p class="soft">
          {runs.length === 1 ? `Run of ${runs[0]?.started_at.slice(0, 10)}` : `${runs.length} runs`},{' '}
          {made_by}
        </p>
      </header>
      <Contents sections={sections} />
      <main>
        {section('compared', () => comparison && <ComparedRuns comparison={comparison} />)}
        {section(
          'sweep',
          () =>
            sweep && (
              <>
                {sweep.plot !== undefined && <Plot title="Parallel coordinates" svg={sweep.plot} />}
                <Experiments table={sweep} label={titleOf('sweep') ?? ''} />
              </>
            ),
        )}
        {section('scores', () =>
          scores.map((table) => (
            <div class="block" key={table.columns.map(nameOf).join()}>
              {table.plot !== undefined && <Plot title="Scores" svg={table.plot} />}
              <Scores table={table} nameOf={nameOf} />
            </div>
          )),
        )}
        {section('training', () => (
          <>
            {overlay !== undefined && <Plot title="Losses of all trainings" svg={overlay} />}
            {trainings.map((training) =>
              trainings.length === 1 ? (
                <Training key={nameOf(training)} training={training} name={nameOf(training)} />
              ) : (
                <details key={nameOf(training)} open={trainings.length === 2}>
                  <summary>{nameOf(training)}</summary>
                  <Training training={training} name={nameOf(training)} />
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

const [root, data] = [document.getElementById('root'), document.getElementById('report-data')];
// The command wrote it from a page of this type.
if (root && data) render(<ReportView report={JSON.parse(data.textContent ?? '') as ReportPage} />, root);
