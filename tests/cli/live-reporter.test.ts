import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

const retuneScript = fileURLToPath(new URL('../../dist/retune.js', import.meta.url));
const withoutTerminal = spawnSync('script', ['--version']).error !== undefined;
const title = 'in a terminal a run is a list with one line for all that is reused';

test.skipIf(withoutTerminal)(
  withoutTerminal ? `${title} (no \`script\` here to make one)` : title,
  async () => {
    await using rig = await openCliRig(dataProject);
    await rig.retune('run');
    const command = `stty cols 80; '${process.execPath}' '${retuneScript}' run -p length=32`;
    const env = { PATH: process.env.PATH, TERM: 'xterm', HOME: rig.folder };
    const { stdout } = await execa('script', ['-qec', command, join(rig.folder, 'typescript')], {
      cwd: rig.folder,
      env,
      extendEnv: false,
    });
    const lines = stripVTControlCharacters(stdout)
      .split(/\r?\n/)
      .map((line) => line.replaceAll(/ *\d+(\.\d)? m?s\b/g, ' <time>').trimEnd());
    // Earlier frames were drawn over; the last one stays.
    expect(lines.slice(lines.findLastIndex((line) => line.includes('stages reused')))).toMatchInlineSnapshot(`
      [
        "✔ 4 stages reused: load, format, split, tokenize",
        "✔ collate <time>",
        "warning collate: train: 5 of 5 records are longer than max_length 32 (the",
        "longest has 38 tokens); they were cut, so the model does not learn where they",
        "end",
        "warning collate: train: 5 of 5 examples have no token to learn: r0, r1, r2, r3,",
        "r4",
        "warning collate: test: 2 of 2 records are longer than max_length 32 (the longest",
        "has 38 tokens); they were cut, so the model does not learn where they end",
        "warning collate: test: 2 of 2 examples have no token to learn: r5, r6",
        "warning collate: validation: 3 of 3 records are longer than max_length 32 (the",
        "longest has 39 tokens); they were cut, so the model does not learn where they",
        "end",
        "warning collate: validation: 3 of 3 examples have no token to learn: r7, r8, r9",
        "",
        "data: 1 stage ran, 4 reused in <time>",
        "",
      ]
    `);
  },
);
