import { useEffect, useState } from 'preact/hooks';

/** Where in the pages the address is: `#/review?run=...&stage=...`. */
export interface Route {
  readonly page: string;
  readonly query: Readonly<Record<string, string>>;
}

export function routeOf(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?');
  return { page: path === '' ? 'runs' : path, query: Object.fromEntries(new URLSearchParams(search)) };
}

/** The address of a place, for a link. */
export function linkTo(page: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const search = new URLSearchParams(pairs).toString();
  return `#/${page}${search === '' ? '' : `?${search}`}`;
}

/** Changes the address without a new entry in the browser's history. */
export const replaceRoute = (page: string, query: Readonly<Record<string, string | undefined>>): void =>
  location.replace(linkTo(page, query));

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const onChange = (): void => setRoute(routeOf(location.hash));
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return route;
}
