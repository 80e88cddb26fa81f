// How long it takes to plan a pipeline of many stages, each given the one before it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inTurns, seconds } from './median.mjs';

const stages = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 5);
const retune = join(resolve(import.meta.dirname, '..'), 'dist/retune.js');
const folder = mkdtempSync(join(tmpdir(), 'retune-bench-'));

try {
  writeFileSync(join(folder, 'rows.json'), '[{"text": "one"}]');
  const files = { small: pipelineOf(Math.ceil(stages / 10)), large: pipelineOf(stages) };
  const plan = (file) => () =>
    seconds('node', [retune, 'plan', file, '--json'], { cwd: folder, maxBuffer: 1 << 30 });
  const medians = inTurns({ small: plan(files.small), large: plan(files.large) }, rounds);
  console.log(`${Math.ceil(stages / 10)} stages  ${medians.small.toFixed(2)} s`);
  console.log(
    `${stages} stages  ${medians.large.toFixed(2)} s   ${(medians.large / medians.small).toFixed(1)} x`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pipelineOf(count) {
  const chain = Array.from({ length: count - 2 }, (_, index) => {
    const from = index === 0 ? 'format' : `split${index - 1}.rest`;
    return `  split${index}:\n    uses: split\n    from: ${from}\n    with: { parts: [rest: rest] }`;
  });
  const file = join(folder, `pipeline-${count}.yaml`);
  writeFileSync(
    file,
    `stages:\n  load:\n    with: { records: rows.json }\n  format:\n    from: load\n    with: { template: completion }\n${chain.join('\n')}\n`,
  );
  return file;
}
