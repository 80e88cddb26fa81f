import type { ComponentChildren } from 'preact';

type Tone = 'plain' | 'good' | 'bad' | 'warn';

/** A part of a page with its heading; `id` is where a link leads. */
export function Section({
  id,
  title,
  children,
}: {
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="section" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}

/** Links to the sections of a page; stays at the top while it scrolls. */
export function Contents({ sections }: { readonly sections: readonly { id: string; title: string }[] }) {
  return (
    <nav class="contents" aria-label="Contents">
      <ul>
        {sections.map(({ id, title }) => (
          <li key={id}>
            <a href={`#${id}`}>{title}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Labels and what they say. */
export function Facts({
  facts,
}: {
  readonly facts: readonly { readonly label: string; readonly value: ComponentChildren }[];
}) {
  return (
    <dl class="facts">
      {facts.map(({ label, value }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Badge({
  tone = 'plain',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ComponentChildren;
}) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Note({
  tone = 'plain',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ComponentChildren;
}) {
  return <div class={`note ${tone}`}>{children}</div>;
}

/** What scrolls sideways can be scrolled with the keyboard, and says what it is. */
export function Sideways({
  label,
  kind,
  children,
}: {
  readonly label: string;
  readonly kind: 'table-frame' | 'dag' | 'plot-frame';
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
    <section class={kind} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
