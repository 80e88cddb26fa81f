import { useEffect, useRef, useState } from 'preact/hooks';
import { Note } from '../components/layout.tsx';
import { DataText } from '../components/text.tsx';
import { type Turn, useChat } from './chat.ts';
import { useData, useKept } from './hooks.ts';
import { Choice, Labeled, NoRuns, PageHead, Problem, type RunDetail, useRunChoice } from './parts.tsx';
import { replaceRoute } from './route.ts';

/** How answers are written, as chat's options are. */
const defaults = { system: '', template: '', maxNewTokens: 256, temperature: 0, topP: 1, seed: 0 };
type Settings = typeof defaults;

/** A conversation with a model, or with two models beside each other. */
export function ChatPage({ query }: { readonly query: Readonly<Record<string, string>> }) {
  const { run, options, outputs = [], error, isEmpty } = useRunChoice(query.run);
  const other = query.secondRun ?? run;
  const detail = useData<RunDetail>(other === undefined ? undefined : `runs/${other}`);
  const [kept, setSettings] = useKept<Partial<Settings>>('chat', defaults);
  const settings = { ...defaults, ...kept };
  const [text, setText] = useState('');
  const stages = modelsOf(outputs);
  const others = modelsOf(detail.data?.outputs ?? []);
  const stage = stages.find((one) => one === query.stage) ?? stages.at(-1);
  const second = others.find((one) => one === query.second);
  const go = (next: Readonly<Record<string, string | undefined>>): void =>
    replaceRoute('chat', { run, stage, secondRun: query.secondRun, second, ...next });
  const one = useChat(run === undefined || stage === undefined ? undefined : { run, stage, settings });
  const two = useChat(
    other === undefined || second === undefined ? undefined : { run: other, stage: second, settings },
  );
  const chats = second === undefined ? [one] : [one, two];
  const isAnswering = chats.some(({ state }) => state === 'answering');
  const field = useRef<HTMLTextAreaElement>(null);
  const ask = (): void => {
    if (text.trim() === '' || isAnswering) return;
    for (const chat of chats) chat.ask(text.trim());
    setText('');
  };
  if (isEmpty) return <NoRuns />;
  return (
    <>
      <PageHead title="Chat">
        <div class="fields">
          <Choice
            label="Run"
            value={run ?? ''}
            options={options}
            onChange={(next) => go({ run: next, secondRun: query.secondRun })}
          />
          <Choice
            label="Model"
            value={stage ?? ''}
            options={stages.map(option)}
            onChange={(next) => go({ stage: next })}
          />
          <Choice
            label="Beside it, from run"
            value={other ?? ''}
            options={options}
            onChange={(next) => go({ secondRun: next })}
          />
          <Choice
            label="Model beside it"
            value={second ?? ''}
            options={[{ value: '', text: 'none' }, ...others.map(option)]}
            onChange={(next) => go({ second: next, secondRun: other })}
          />
        </div>
        <SettingsForm settings={settings} onChange={setSettings} />
      </PageHead>
      <Problem error={error ?? detail.error} />
      {outputs.length > 0 && stages.length === 0 && <Note>No stage of this run made a model.</Note>}
      {stage !== undefined && (
        <>
          <div class={chats.length > 1 ? 'versus' : undefined}>
            {chats.map((chat, index) => (
              <Conversation key={index} name={(index === 0 ? stage : second) ?? ''} chat={chat} />
            ))}
          </div>
          <form
            class="judge-form"
            onSubmit={(event) => {
              event.preventDefault();
              ask();
            }}
          >
            <Labeled label="Message">
              <textarea
                ref={field}
                class="field"
                rows={2}
                value={text}
                onInput={(event) => setText(event.currentTarget.value)}
                onKeyDown={(event) => {
                  if (event.key === 'Escape') for (const chat of chats) chat.stop();
                  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
                  event.preventDefault();
                  ask();
                }}
              />
            </Labeled>
            <div class="row">
              <button type="submit" class="button primary" disabled={isAnswering}>
                Send <kbd>Enter</kbd>
              </button>
              <button
                type="button"
                class="button"
                disabled={!isAnswering}
                onClick={() => {
                  for (const chat of chats) chat.stop();
                  field.current?.focus();
                }}
              >
                Stop <kbd>Esc</kbd>
              </button>
              <button
                type="button"
                class="button"
                disabled={isAnswering}
                onClick={() => {
                  for (const chat of chats) chat.reset();
                  field.current?.focus();
                }}
              >
                Start over
              </button>
            </div>
          </form>
        </>
      )}
    </>
  );
}

const modelsOf = (outputs: RunDetail['outputs']): readonly string[] => [
  ...new Set(outputs.filter(({ type }) => type === 'model').map(({ stage }) => stage)),
];
const option = (value: string) => ({ value, text: value });

function Conversation({ name, chat }: { readonly name: string; readonly chat: ReturnType<typeof useChat> }) {
  const end = useRef<HTMLDivElement>(null);
  const length = chat.turns.length;
  useEffect(() => {
    if (length > 0) end.current?.scrollIntoView({ block: 'nearest' });
  }, [length]);
  return (
    <section class="card conversation" aria-label={`Conversation with ${name}`}>
      <div class="row">
        <h2 class="label">{name}</h2>
        {chat.state === 'loading' && <span class="soft small">loading the model</span>}
        {chat.turns.some(({ role }) => role === 'assistant') && chat.state === 'ready' && (
          <button type="button" class="button small" onClick={() => chat.keep(name)}>
            Keep as a row
          </button>
        )}
      </div>
      {chat.turns.length === 0 && chat.state !== 'loading' && <p class="soft small">No message yet.</p>}
      <ol class="turns" aria-live="polite" aria-busy={chat.state === 'answering'}>
        {chat.turns.map((turn, index) => (
          <TurnView key={index} turn={turn} />
        ))}
      </ol>
      <p class="soft small" role="status">
        {chat.said}
      </p>
      <Problem error={chat.error} />
      <div ref={end} />
    </section>
  );
}

const TurnView = ({ turn: { role, content, ended } }: { readonly turn: Turn }) => (
  <li class={role}>
    <span class="hidden-visually">{role === 'user' ? 'You' : 'Model'}: </span>
    <DataText text={content} />
    {ended !== undefined && ended !== 'stop' && (
      <span class="soft small"> ({ended === 'length' ? 'ended at the length limit' : ended})</span>
    )}
  </li>
);

function SettingsForm({
  settings,
  onChange,
}: {
  readonly settings: Settings;
  readonly onChange: (next: Settings) => void;
}) {
  const number = (
    name: 'maxNewTokens' | 'temperature' | 'topP' | 'seed',
    label: string,
    least: number,
    step: number,
  ) => (
    <Labeled label={label}>
      <input
        class="field short"
        type="number"
        min={least}
        step={step}
        value={settings[name]}
        onChange={(event) => {
          const value = event.currentTarget.valueAsNumber;
          if (Number.isFinite(value) && value >= least) onChange({ ...settings, [name]: value });
        }}
      />
    </Labeled>
  );
  return (
    <details>
      <summary class="small">Settings</summary>
      <div class="fields details-body">
        {number('temperature', 'Temperature', 0, 0.1)}
        {number('topP', 'Top p', 0, 0.05)}
        {number('maxNewTokens', 'Most new tokens', 1, 1)}
        {number('seed', 'Seed', 0, 1)}
        <Labeled label="Template">
          <input
            class="field"
            value={settings.template}
            placeholder="the model's own"
            onChange={(event) => onChange({ ...settings, template: event.currentTarget.value })}
          />
        </Labeled>
        <Labeled label="System message">
          <input
            class="field"
            value={settings.system}
            onChange={(event) => onChange({ ...settings, system: event.currentTarget.value })}
          />
        </Labeled>
      </div>
      <p class="soft small">A change starts the conversation over.</p>
    </details>
  );
}
