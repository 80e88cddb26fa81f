import { Note } from '../components/layout.tsx';
import { useData, useKept } from './hooks.ts';
import { Choice, Labeled, NoRuns, PageHead, Problem, useRunChoice } from './parts.tsx';
import { Review } from './review.tsx';
import { replaceRoute } from './route.ts';
import type { ProjectInfo } from './runs-page.tsx';

const scales = ['0-100', '1-5', '1-10'];

/** One answer at a time, for a person to rate with the keyboard alone. */
export function ReviewPage({ query }: { readonly query: Readonly<Record<string, string>> }) {
  const { run, options, outputs = [], error, isEmpty } = useRunChoice(query.run);
  const project = useData<ProjectInfo>('project');
  const [person, setPerson] = useKept('person', '');
  const [scale, setScale] = useKept('scale', '0-100');
  const stages = [...new Set(outputs.filter(({ type }) => type === 'responses').map(({ stage }) => stage))];
  const stage = stages.find((one) => one === query.stage) ?? stages.at(-1);
  const rater = person || project.data?.person || '';
  if (isEmpty) return <NoRuns />;
  return (
    <>
      <PageHead title="Review">
        <div class="fields">
          <Choice
            label="Run"
            value={run ?? ''}
            options={options}
            onChange={(next) => replaceRoute('review', { run: next, stage })}
          />
          <Choice
            label="Answers of"
            value={stage ?? ''}
            options={stages.map((one) => ({ value: one, text: one }))}
            onChange={(next) => replaceRoute('review', { run, stage: next })}
          />
          <Labeled label="Rater">
            <input
              class="field"
              value={rater}
              onChange={(event) => setPerson(event.currentTarget.value.trim())}
            />
          </Labeled>
          <Choice
            label="Scale"
            value={scale}
            options={scales.map((one) => ({ value: one, text: one.replace('-', ' to ') }))}
            onChange={setScale}
          />
        </div>
      </PageHead>
      <Problem error={error ?? project.error} />
      {run !== undefined && outputs.length > 0 && stage === undefined && (
        <Note>No stage of this run wrote answers.</Note>
      )}
      {run !== undefined && stage !== undefined && rater !== '' && (
        <Review key={`${run} ${stage} ${rater}`} {...{ run, stage, rater, scale }} />
      )}
    </>
  );
}
