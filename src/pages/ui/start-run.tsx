import { useState } from 'preact/hooks';
import type { PipelineSummary } from '../../server/index.ts';
import { Note } from '../components/layout.tsx';
import { type RequestError, send } from './api.ts';
import { Choice, Labeled, Problem } from './parts.tsx';
import { linkTo } from './route.ts';

/** Starts a run of one of the project's pipelines, with other params if wanted. */
export function StartRun({
  pipelines,
  onStarted,
}: {
  readonly pipelines: readonly PipelineSummary[];
  readonly onStarted: () => void;
}) {
  const [file, setFile] = useState('');
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [stage, setStage] = useState('');
  const [isStarting, setStarting] = useState(false);
  const [error, setError] = useState<RequestError | undefined>(undefined);
  const pipeline = pipelines.find((one) => one.file === file) ?? pipelines[0];
  if (pipeline === undefined) return null;
  const start = async (): Promise<void> => {
    setStarting(true);
    setError(undefined);
    try {
      const params = Object.fromEntries(
        Object.entries(values).filter(([name, value]) => value !== spelled(pipeline.params[name])),
      );
      const body = { pipeline: pipeline.file, params, stages: stage === '' ? [] : [stage] };
      const { run } = await send<{ run: string }>('POST', 'runs', body);
      onStarted();
      location.hash = linkTo('run', { run });
    } catch (problem) {
      setError(problem as RequestError);
    } finally {
      setStarting(false);
    }
  };
  return (
    <details class="panel">
      <summary>Start a run</summary>
      <form
        class="details-body block"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <div class="fields">
          <Choice
            label="Pipeline"
            value={pipeline.file}
            options={pipelines.map((one) => ({ value: one.file, text: one.file }))}
            onChange={(value) => {
              setFile(value);
              setValues({});
              setStage('');
            }}
          />
          <Choice
            label="Stages"
            value={stage}
            options={[
              { value: '', text: 'all' },
              ...pipeline.stages.map((id) => ({ value: id, text: `${id} and what it needs` })),
            ]}
            onChange={setStage}
          />
          {Object.entries(pipeline.params).map(([name, value]) => (
            <Labeled key={`${pipeline.file} ${name}`} label={name}>
              <input
                class="field"
                value={values[name] ?? spelled(value)}
                onInput={(event) => setValues({ ...values, [name]: event.currentTarget.value })}
              />
            </Labeled>
          ))}
        </div>
        {pipeline.problems.length > 0 && <Note tone="bad">{pipeline.problems.join('; ')}</Note>}
        <Problem error={error} />
        <div class="row">
          <button type="submit" class="button primary" disabled={isStarting || pipeline.problems.length > 0}>
            {isStarting ? 'Starting' : 'Start'}
          </button>
          <span class="soft small">Only what changed runs; everything else is reused.</span>
        </div>
      </form>
    </details>
  );
}

/** A value as it is typed after `-p name=`. */
const spelled = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
