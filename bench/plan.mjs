import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inTurns, seconds } from './median.mjs';

// Seconds to plan a chain of many stages, beside parsing its YAML alone; with `run` also to run it, and to find that nothing
// has to run.
// node bench/plan.mjs [stages] [rounds] [run]
const stages = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 5);
const root = resolve(import.meta.dirname, '..');
const tuneloom = join(root, 'dist/tuneloom.js');
const folder = mkdtempSync(join(tmpdir(), 'tuneloom-bench-'));
const limits = { cwd: folder, maxBuffer: 1 << 30 };
const parser = `import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
parseDocument(readFileSync(process.argv[1], 'utf8'), { uniqueKeys: false });`;
const printMemory = `data:text/javascript,process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS))`;

try {
  writeFileSync(join(folder, 'rows.json'), '[{"text": "one"}]');
  const files = { small: pipelineOf(Math.ceil(stages / 10)), large: pipelineOf(stages) };
  const plan = (file) => () => seconds('node', [tuneloom, 'plan', file, '--json'], limits);
  const medians = inTurns(
    {
      parsed: () =>
        seconds('node', ['--input-type=module', '-e', parser, files.large], { ...limits, cwd: root }),
      small: plan(files.small),
      large: plan(files.large),
    },
    rounds,
  );
  const { parsed, small, large } = medians;
  console.log(`${Math.ceil(stages / 10)} stages planned   ${small.toFixed(2)} s`);
  console.log(`${stages} stages planned   ${large.toFixed(2)} s   ${(large / small).toFixed(1)} x`);
  console.log(`their YAML parsed alone   ${parsed.toFixed(2)} s; beyond it ${(large - parsed).toFixed(2)} s`);
  console.log(`peak memory   ${peak([tuneloom, 'plan', files.large, '--json'])} MiB`);
  if (process.argv[4] === 'run') compareRuns(files.large, parsed);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function compareRuns(file, parsed) {
  const words = [tuneloom, 'run', file, '--store', 'store', '--jobs', '1'];
  const run = () => seconds('node', words, limits);
  const first = run();
  const { idle } = inTurns({ idle: run }, rounds);
  console.log(`${stages} stages run   ${first.toFixed(2)} s`);
  console.log(`nothing to do   ${idle.toFixed(2)} s; beyond parsing ${(idle - parsed).toFixed(2)} s`);
  console.log(`peak memory   ${peak(words)} MiB`);
}

function peak(words) {
  const { stderr } = spawnSync('node', ['--import', printMemory, ...words], { ...limits, encoding: 'utf8' });
  return Math.round(Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024);
}

function pipelineOf(count) {
  const chain = Array.from({ length: count - 2 }, (_, index) => {
    const from = index === 0 ? 'format' : `split${index - 1}.rest`;
    return `  split${index}:\n    uses: split\n    from: ${from}\n    with: { by: hash, seed: ${index}, parts: [rest: rest] }`;
  });
  const file = join(folder, `pipeline-${count}.yaml`);
  writeFileSync(
    file,
    `stages:\n  load:\n    with: { records: rows.json }\n  format:\n    from: load\n    with: { template: completion }\n${chain.join('\n')}\n`,
  );
  return file;
}
