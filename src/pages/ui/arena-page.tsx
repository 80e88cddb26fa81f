import { Note } from '../components/layout.tsx';
import { Arena } from './arena.tsx';
import { useData, useKept } from './hooks.ts';
import { Choice, Labeled, NoRuns, PageHead, Problem, type RunDetail, useRunChoice } from './parts.tsx';
import { replaceRoute } from './route.ts';
import type { ProjectInfo } from './runs-page.tsx';

/** Two answers side by side without their models, and the board that the choices give. */
export function ArenaPage({ query }: { readonly query: Readonly<Record<string, string>> }) {
  const { run, options, outputs = [], error, isEmpty } = useRunChoice(query.run);
  const project = useData<ProjectInfo>('project');
  const [person, setPerson] = useKept('person', '');
  const [seed, setSeed] = useKept('seed', 0);
  const other = query.secondRun ?? run;
  const detail = useData<RunDetail>(other === undefined ? undefined : `runs/${other}`);
  const stages = stagesWithAnswers(outputs);
  const others = stagesWithAnswers(detail.data?.outputs ?? []);
  const first = stages.find((one) => one === query.first) ?? stages[0];
  const second =
    others.find((one) => one === query.second) ?? others.find((one) => other !== run || one !== first);
  const judge = person || project.data?.person || '';
  const go = (next: Readonly<Record<string, string | undefined>>): void =>
    replaceRoute('arena', { run, first, secondRun: other, second, ...next });
  if (isEmpty) return <NoRuns />;
  const isReady =
    run !== undefined && other !== undefined && first !== undefined && second !== undefined && judge !== '';
  return (
    <>
      <PageHead title="Arena">
        <div class="fields">
          <Choice
            label="Run"
            value={run ?? ''}
            options={options}
            onChange={(next) => go({ run: next, secondRun: other === run ? next : other })}
          />
          <Choice
            label="Answers of"
            value={first ?? ''}
            options={named(stages)}
            onChange={(next) => go({ first: next })}
          />
          <Choice
            label="Against run"
            value={other ?? ''}
            options={options}
            onChange={(next) => go({ secondRun: next })}
          />
          <Choice
            label="Answers of"
            value={second ?? ''}
            options={named(others)}
            onChange={(next) => go({ second: next })}
          />
          <Labeled label="Judge">
            <input
              class="field"
              value={judge}
              onChange={(event) => setPerson(event.currentTarget.value.trim())}
            />
          </Labeled>
          <Labeled label="Seed of the order">
            <input
              class="field short"
              type="number"
              min={0}
              value={seed}
              onChange={(event) => setSeed(Math.max(0, event.currentTarget.valueAsNumber || 0))}
            />
          </Labeled>
        </div>
      </PageHead>
      <Problem error={error ?? detail.error ?? project.error} />
      {outputs.length > 0 && stages.length === 0 && <Note>No stage of this run wrote answers.</Note>}
      {outputs.length > 0 && stages.length > 0 && second === undefined && (
        <Note>This run has one stage with answers. Choose another run to compare it with.</Note>
      )}
      {isReady && (
        <Arena
          key={JSON.stringify([run, first, other, second, judge, seed])}
          {...{ run, first, second, judge, seed }}
          secondRun={other}
        />
      )}
    </>
  );
}

const stagesWithAnswers = (outputs: RunDetail['outputs']): readonly string[] => [
  ...new Set(outputs.filter(({ type }) => type === 'responses').map(({ stage }) => stage)),
];
const named = (stages: readonly string[]) => stages.map((one) => ({ value: one, text: one }));
