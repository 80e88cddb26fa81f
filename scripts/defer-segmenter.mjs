import { readFile } from 'node:fs/promises';

const eager = 'const segmenter = new Intl.Segmenter();';
const use = 'segmenter.segment(';

/**
 * An esbuild plugin that makes string-width create its segmenter on first use: creating it loads ICU's tables, which takes
 * longer than everything else that a run with nothing to do loads.
 */
export const deferSegmenter = {
  name: 'defer-segmenter',
  setup(build) {
    build.onLoad({ filter: /node_modules[/\\]string-width[/\\]index\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (text.split(eager).length !== 2 || text.split(use).length !== 2)
        throw new Error(`${path} has changed: check whether this plugin is still needed`);
      const contents = text
        .replace(eager, 'let segmenter;')
        .replace(use, '(segmenter ??= new Intl.Segmenter()).segment(');
      return { contents };
    });
  },
};
