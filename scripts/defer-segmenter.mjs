import { readFile } from 'node:fs/promises';

const eager = 'const segmenter = new Intl.Segmenter();';
const use = 'segmenter.segment(';
const loop = 'let width = 0;';

/**
 * An esbuild plugin that makes string-width create its segmenter for the first text that is not printable ASCII: creating it
 * loads ICU's tables, which takes longer than everything else that a run with nothing to do loads.
 */
export const deferSegmenter = {
  name: 'defer-segmenter',
  setup(build) {
    build.onLoad({ filter: /node_modules[/\\]string-width[/\\]index\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if ([eager, use, loop].some((part) => text.split(part).length !== 2))
        throw new Error(`${path} has changed: check whether this plugin is still needed`);
      const contents = text
        .replace(eager, 'let segmenter;')
        .replace(use, '(segmenter ??= new Intl.Segmenter()).segment(')
        .replace(loop, `if (/^[ -~]*$/.test(string)) return string.length;\n${loop}`);
      return { contents };
    });
  },
};
