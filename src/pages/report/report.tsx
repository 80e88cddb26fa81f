import { render } from 'preact';
import { Section } from '../components/layout.tsx';

const root = document.getElementById('root');
if (root)
  render(
    <main class="page">
      <Section id="run" title="Run">
        <p class="soft">…</p>
      </Section>
    </main>,
    root,
  );
