import { useState } from 'preact/hooks';
import type { RunRecord } from '../../server/index.ts';
import { Note, Section } from '../components/layout.tsx';
import { DataText } from '../components/text.tsx';
import { useData, useInterval } from './hooks.ts';
import type { LiveRun } from './live-run.ts';
import { Choice, Problem } from './parts.tsx';

/** What stages reported, and the end of what one of them wrote. */
export function RunLog({ run, live }: { readonly run: RunRecord; readonly live: LiveRun }) {
  const failed = Object.entries(run.stages).flatMap(([id, outcome]) =>
    outcome.decision === 'failed' && outcome.failure.kind !== 'interrupted'
      ? [{ id, failure: outcome.failure }]
      : [],
  );
  const running = Object.keys(live.stages).filter((id) => live.stages[id]?.state === 'running');
  const stages = [...new Set([...failed.map(({ id }) => id), ...running])];
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const stage = chosen ?? stages[0];
  const log = useData<{ text: string; leftOut: number }>(
    stage === undefined ? undefined : `runs/${run.run}/log/${encodeURIComponent(stage)}`,
  );
  useInterval(log.reload, run.outcome === 'running' && stage !== undefined ? 2000 : undefined);
  return (
    <Section id="log" title="Log">
      {failed.map(({ id, failure }) => (
        <Note tone="bad" key={id}>
          <strong>{id}</strong>:{' '}
          <DataText text={'message' in failure ? failure.message : failure.kind.replaceAll('-', ' ')} />
          {'help' in failure && failure.help && <p>{failure.help}</p>}
        </Note>
      ))}
      {live.notes.length > 0 && (
        <ol class="log" aria-label="What stages reported">
          {live.notes.map(({ number, stage: from, level, message }) => (
            <li key={number} class={level}>
              <span class="soft">{from}</span> <DataText text={message} />
            </li>
          ))}
        </ol>
      )}
      {stages.length > 1 && (
        <Choice
          label="Log of"
          value={stage ?? ''}
          options={stages.map((id) => ({ value: id, text: id }))}
          onChange={setChosen}
        />
      )}
      <Problem error={log.error} />
      {log.data !== undefined && log.data.text !== '' && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
        <section class="log" tabIndex={0} aria-label={`The log of ${stage}`}>
          {log.data.leftOut > 0 && <p>({log.data.leftOut} bytes before this)</p>}
          <DataText text={log.data.text} />
        </section>
      )}
      {live.notes.length === 0 && failed.length === 0 && !log.data?.text && (
        <p class="soft">Nothing has been reported yet.</p>
      )}
    </Section>
  );
}
