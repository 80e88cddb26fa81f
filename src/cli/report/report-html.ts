import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { answerChunks, type Report, reportPage, reportPlots } from '../../view/index.ts';
import { programVersion } from '../program-version.ts';
import { escapeUnsafe } from '../terminal/safe-text.ts';
import { reportMarkdown } from './report-markdown.ts';

/**
 * A report as one HTML file that fetches nothing. All text of data and models is JSON inside script elements that do not
 * run, and the page's policy lets no script run but its own. Where scripts are off, the Markdown is shown.
 */
export async function reportHtml(report: Report): Promise<string> {
  const [script, style] = await Promise.all([pageFile('report.js'), pageFile('style.css')]);
  const page = reportPage(report, {
    plots: await reportPlots(report),
    madeBy: `tuneloom ${programVersion()}`,
  });
  const chunks = report.answers.map((table, index) =>
    answerChunks(table).map((chunk, number) =>
      dataElement(`answers-${index}-${number}`, 'text/plain', chunk),
    ),
  );
  const code = createHash('sha256').update(script).digest('base64');
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-${code}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    '<link rel="icon" href="data:,">',
    `<title>${escapeHtml(report.title)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    '<div id="root"></div>',
    `<noscript><pre>${escapeHtml(reportMarkdown(report))}</pre></noscript>`,
    dataElement('report-data', 'application/json', JSON.stringify(page)),
    // The first answers come before the script, the others after it: the page is there before they are parsed.
    ...chunks.flatMap(([first]) => first ?? []),
    `<script>${script}</script>`,
    ...chunks.flatMap(([, ...rest]) => rest),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** A script element that does not run. JSON stays the same JSON: what could end the element is escaped in JSON's way. */
const dataElement = (id: string, type: 'application/json' | 'text/plain', text: string): string =>
  `<script type="${type}" id="${id}">${escapeUnsafe(text).replaceAll('<', '\\u003c')}</script>`;

const escapeHtml = (text: string): string =>
  escapeUnsafe(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A file of `dist/pages`, which is beside the program or, in a chunk of it, one folder up. */
async function pageFile(name: string): Promise<string> {
  const places = ['./pages/', '../pages/', '../../../dist/pages/'].map(
    (place) => new URL(`${place}${name}`, import.meta.url),
  );
  for (const place of places) {
    const text = await readFile(place, 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new Error(`this installation of tuneloom has no pages/${name}`);
}
