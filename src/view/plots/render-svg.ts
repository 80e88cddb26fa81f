import type { LoggerInterface } from 'vega';
import { type PlotSpec, plotColors } from './plot-style.ts';

/**
 * A plot as SVG. `inline` is for a page: text takes the page's `currentColor`, and each color is a CSS variable that
 * `plotCss` sets, such as `--plot-train`. `file` stands alone, in light and dark mode, also for programs without CSS.
 */
export async function renderSvg(spec: PlotSpec, use: 'inline' | 'file' = 'inline'): Promise<string> {
  const [{ View, parse }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  // A page has its own headings.
  const { title, ...untitled } = spec;
  const drawn = use === 'inline' ? untitled : { ...untitled, title };
  const view = new View(parse(compile(drawn as PlotSpec, { logger: silent }).spec), {
    renderer: 'none',
    loader: refuseAll,
    logger: silent,
  });
  try {
    const svg = labeled(legal(await view.toSVG()), spec);
    return use === 'inline' ? withVariables(svg) : withDarkMode(svg);
  } finally {
    view.finalize();
  }
}

/** Only the command line prints. */
const silent: LoggerInterface = {
  level: (() => silent) as LoggerInterface['level'],
  error: () => silent,
  warn: () => silent,
  info: () => silent,
  debug: () => silent,
};

/** A plot holds its data; whatever else it names is not loaded. */
const refuseAll = {
  load: refuse,
  sanitize: refuse,
  http: refuse,
  file: refuse,
};

function refuse(): Promise<never> {
  return Promise.reject(new Error('a plot loads nothing'));
}

/** Characters that XML does not allow, such as control characters in a stage's answer, become replacement characters. */
const legal = (svg: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
  svg.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Surrogate}]/gu, '\ufffd');

/** A screen reader reads a title and a description instead of the marks. */
function labeled(svg: string, { title, description }: PlotSpec): string {
  const opened = svg
    .replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', '')
    .replace('class="marks"', 'class="plot" role="img"')
    // Vega gives each mark a role, which asks for a name of its own.
    .replaceAll(/ (?:role="graphics-[a-z]+"|aria-roledescription="[^"]*")/g, '');
  const end = opened.indexOf('>') + 1;
  return `${opened.slice(0, end)}<title>${escaped(title)}</title><desc>${escaped(description)}</desc>${opened.slice(end)}`;
}

const escaped = (text: string): string =>
  legal(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Light color -> its role. */
const roles: ReadonlyMap<string, string> = new Map(
  Object.entries(plotColors).map(([role, { light }]) => [light, role]),
);

/** Gives each color of the palette its variable, with the light color where a page does not set it. */
const withVariables = (svg: string): string =>
  svg.replaceAll(/(fill|stroke)="(#[0-9a-f]{6})"/g, (whole, attribute: string, color: string) => {
    const role = roles.get(color);
    if (role === undefined) return whole;
    return `${attribute}="${role === 'text' ? 'currentColor' : `var(--plot-${role}, ${color})`}"`;
  });

/** Adds a style that replaces the light colors in dark mode. Programs without CSS draw the light ones. */
function withDarkMode(svg: string): string {
  const rules = Object.values(plotColors).flatMap(({ light, dark }) =>
    ['fill', 'stroke'].map((attribute) => `[${attribute}="${light}"]{${attribute}:${dark}}`),
  );
  return svg.replace(
    '</desc>',
    `</desc><style>@media (prefers-color-scheme:dark){${rules.join('')}}</style>`,
  );
}

/** The variables of inline plots, for the style sheet of a page: light, and dark where the system prefers it. */
export function plotCss(): string {
  const set = (mode: 'light' | 'dark') =>
    Object.entries(plotColors)
      .map(([role, colors]) => `--plot-${role}:${colors[mode]};`)
      .join('');
  return `:root{${set('light')}}@media (prefers-color-scheme:dark){:root{${set('dark')}}}`;
}
