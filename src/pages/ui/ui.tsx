import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ArenaPage } from './arena-page.tsx';
import { ArtifactsPage } from './artifacts-page.tsx';
import { ChatPage } from './chat-page.tsx';
import { ComparePage } from './compare-page.tsx';
import { ReviewPage } from './review-page.tsx';
import { linkTo, type Route, useRoute } from './route.ts';
import { RunPage } from './run-page.tsx';
import { RunsPage } from './runs-page.tsx';

const pages = [
  { page: 'runs', title: 'Runs' },
  { page: 'artifacts', title: 'Results' },
  { page: 'review', title: 'Review' },
  { page: 'arena', title: 'Arena' },
  { page: 'chat', title: 'Chat' },
] as const;

function App() {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const titled = pages.find(({ page }) => page === route.page)?.title ?? 'Runs';
  useEffect(() => {
    document.title = `${titled} · tuneloom`;
    scrollTo(0, 0);
  }, [route.page]);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="bar">
        <a class="brand" href={linkTo('runs')}>
          tuneloom
        </a>
        <nav aria-label="Pages">
          <ul>
            {pages.map(({ page, title }) => (
              <li key={page}>
                <a
                  href={linkTo(page, kept(route))}
                  aria-current={isCurrent(route, page) ? 'page' : undefined}
                >
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      </header>
      <main class="page" id="main" tabIndex={-1} ref={main}>
        <Content route={route} />
      </main>
    </>
  );
}

/** Other pages open at the same run. */
const kept = ({ page, query }: Route) => (page === 'runs' ? {} : { run: query.run });

const isCurrent = (route: Route, page: string): boolean =>
  route.page === page || (page === 'runs' && (route.page === 'run' || route.page === 'compare'));

function Content({ route: { page, query } }: { readonly route: Route }) {
  switch (page) {
    case 'run':
      return <RunPage key={query.run} run={query.run ?? ''} />;
    case 'compare':
      return <ComparePage runs={query.runs ?? ''} />;
    case 'artifacts':
      return <ArtifactsPage query={query} />;
    case 'review':
      return <ReviewPage query={query} />;
    case 'arena':
      return <ArenaPage query={query} />;
    case 'chat':
      return <ChatPage query={query} />;
    default:
      return <RunsPage />;
  }
}

const place = document.getElementById('page');
if (place !== null) render(<App />, place);
