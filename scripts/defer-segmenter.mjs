import { readFile } from 'node:fs/promises';

const atOnce = 'const segmenter = new Intl.Segmenter();';
const use = 'segmenter.segment(';

/**
 * An esbuild plugin: string-width makes its segmenter when it is first used and not when it is loaded, since loading the
 * system's tables takes longer than all else that a run with nothing to do loads.
 */
export const deferSegmenter = {
  name: 'defer-segmenter',
  setup(build) {
    build.onLoad({ filter: /node_modules[/\\]string-width[/\\]index\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (text.split(atOnce).length !== 2 || text.split(use).length !== 2)
        throw new Error(`${path} is not what it was: see whether this is still needed`);
      const contents = text
        .replace(atOnce, 'let segmenter;')
        .replace(use, '(segmenter ??= new Intl.Segmenter()).segment(');
      return { contents };
    });
  },
};
