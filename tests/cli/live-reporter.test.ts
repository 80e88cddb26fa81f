import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { type CliRig, dataProject, openCliRig } from './rig.ts';

const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));
const withoutTerminal = spawnSync('script', ['--version']).error !== undefined;
const titled = (title: string): string =>
  withoutTerminal ? `${title} (no \`script\` here to make one)` : title;

/** The frames that `tuneloom` draws in a terminal of a given size, without control sequences. */
async function linesInTerminal(
  rig: CliRig,
  { words, columns }: { readonly words: string; readonly columns: number },
): Promise<readonly string[]> {
  const command = `stty cols ${columns} rows 24; '${process.execPath}' '${tuneloomScript}' ${words}`;
  const env = { PATH: process.env.PATH, TERM: 'xterm', HOME: rig.folder };
  const { stdout } = await execa('script', ['-qec', command, join(rig.folder, 'typescript')], {
    cwd: rig.folder,
    env,
    extendEnv: false,
  });
  return stripVTControlCharacters(stdout)
    .split(/\r?\n/)
    .map((line) => line.trimEnd());
}

test.skipIf(withoutTerminal)(
  titled('in a terminal a run is a list with one line for all that is reused'),
  async () => {
    await using rig = await openCliRig(dataProject);
    await rig.tuneloom('run');
    const lines = (await linesInTerminal(rig, { words: 'run -p length=32', columns: 80 })).map((line) =>
      line.replaceAll(/ *\d+(\.\d)? m?s\b/g, ' <time>'),
    );
    // Earlier frames were drawn over; the last one stays.
    expect(lines.slice(lines.findLastIndex((line) => line.includes('stages reused')))).toMatchInlineSnapshot(`
      [
        "✔ 4 stages reused: load, format, split, tokenize",
        "✔ collate <time>",
        "warning collate: train: 5 of 5 records are longer than max_length 32 (the",
        "longest has 38 tokens); they were cut, so the model does not learn where they",
        "end (first: rows.jsonl:1, rows.jsonl:2, rows.jsonl:3)",
        "warning collate: train: 5 of 5 examples have no token to learn: r0, r1, r2, r3,",
        "r4",
        "warning collate: test: 2 of 2 records are longer than max_length 32 (the longest",
        "has 38 tokens); they were cut, so the model does not learn where they end",
        "(first: rows.jsonl:6, rows.jsonl:7)",
        "warning collate: test: 2 of 2 examples have no token to learn: r5, r6",
        "warning collate: validation: 3 of 3 records are longer than max_length 32 (the",
        "longest has 39 tokens); they were cut, so the model does not learn where they",
        "end (first: rows.jsonl:8, rows.jsonl:9, rows.jsonl:10)",
        "warning collate: validation: 3 of 3 examples have no token to learn: r7, r8, r9",
        "",
        "data: 1 stage ran, 4 reused in <time>",
        "",
      ]
    `);
  },
);

const training = `  base:
    uses: load
    with: { init: { context_length: 64, width: 8, layers: 1, heads: 2, encoding: r50k_base } }
  train:
    from: { model: base, train: collate.train }
    with: { epochs: 40, sample: { max_new_tokens: 0 } }
`;

test.skipIf(withoutTerminal)(
  titled('in a terminal a training shows its steps, its loss and the time that is left'),
  async () => {
    await using rig = await openCliRig({
      ...dataProject,
      'data.yaml': dataProject['data.yaml'] + training,
    });
    const wide = await linesInTerminal(rig, { words: 'run', columns: 100 });
    expect(wide.filter((line) => /train +█*░* step \d+\/\d+ {2}ETA .* {2}loss /.test(line))).not.toEqual([]);
    const narrow = await linesInTerminal(rig, { words: 'run --force train', columns: 50 });
    expect(narrow.filter((line) => /train +step \d+\/\d+ {2}ETA /.test(line))).not.toEqual([]);
  },
);
