import { existsSync } from 'node:fs';
import { build } from 'esbuild';
import { skipIndexes } from './skip-indexes.mjs';

/** Page -> the file that starts it in the browser. */
const entries = { report: 'src/pages/report/report.tsx', ui: 'src/pages/ui/ui.tsx' };

/**
 * Bundles the code of the pages that people open in a browser into dist/pages: a script for each page without imports, which
 * can stand inside an HTML file, and the one style sheet of all pages.
 */
export const buildPages = () =>
  build({
    entryPoints: Object.fromEntries([
      ...Object.entries(entries).filter(([, file]) => existsSync(file)),
      ['style', 'src/pages/styles/style.css'],
    ]),
    outdir: 'dist/pages',
    bundle: true,
    format: 'iife',
    platform: 'browser',
    // The first browsers that decompress a stream.
    target: ['chrome103', 'firefox113', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    plugins: [skipIndexes],
    minify: true,
    // An inlined script must not end itself, whatever text is in it.
    supported: { 'inline-script': false },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    write: false,
  });
