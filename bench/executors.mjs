// What an executor adds to a stage: node bench/executors.mjs SETTINGS EXECUTOR... [--runs 7]
// SETTINGS is a settings.yaml that defines the executors. The stage sleeps for a second and writes one line. Each run has a
// new key, and reports the time from the stage's start to its end, its result in the local store. The difference to this
// machine's own time is what submitting, sending, waiting for a scheduler, watching and fetching cost. Where sbatch is here,
// each round also submits a bare job, which shows how long Slurm itself takes to start one. All take turns.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './median.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '7' } },
});
const [settings, ...executors] = positionals;
if (settings === undefined || executors.length === 0) {
  console.error('usage: node bench/executors.mjs SETTINGS EXECUTOR... [--runs 7]');
  process.exit(2);
}
const tuneloom = fileURLToPath(new URL('../dist/tuneloom.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tuneloom-bench-'));
try {
  mkdirSync(join(folder, '.tuneloom'));
  copyFileSync(resolve(settings), join(folder, '.tuneloom', 'settings.yaml'));
  writeFileSync(join(folder, 'package.json'), '{}');
  const stage = (name) =>
    `  ${name}:\n    uses: shell\n    with: { command: "sleep 1; echo ${name} \${params.run} > $OUT_text", outputs: { text: file } }\n`;
  writeFileSync(join(folder, 'p.yaml'), `params: { run: '0' }\nstages:\n${stage('first')}${stage('second')}`);
  let run = 0;
  // The first stage opens the connection; the second finds it open.
  const times = (executor) => {
    run += 1;
    const words = ['run', 'p.yaml', '--json', '--jobs', '1', '-p', `run=${run}`, '--executor', executor];
    const printed = execFileSync(process.execPath, [tuneloom, ...words], { cwd: folder, encoding: 'utf8' });
    const events = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    return events.filter(({ type }) => type === 'stage-finished').map(({ milliseconds }) => milliseconds);
  };
  const names = ['local', ...executors];
  const rounds = [];
  const slurmStarts = [];
  for (let round = 0; round < Number(values.runs); round += 1) {
    rounds.push(names.map(times));
    if (hasSlurm()) slurmStarts.push(await startByHand());
  }
  const measured = names.map((name, at) => {
    const [first, second] = [0, 1].map((stage) => median(rounds.map((round) => round[at][stage])));
    return { name, first, second };
  });
  const [here] = measured;
  for (const { name, first, second } of measured)
    console.log(
      `${name.padEnd(12)} first stage ${first} ms (+${first - here.first}), second ${second} ms (+${second - here.second})`,
    );
  if (slurmStarts.length > 0)
    console.log(`Slurm alone, from sbatch to the first line of a job: ${Math.round(median(slurmStarts))} ms`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function hasSlurm() {
  try {
    execFileSync('sbatch', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds until a job of its own has begun. */
async function startByHand() {
  const mark = join(folder, 'mark');
  const start = performance.now();
  execFileSync('sbatch', [`--chdir=${folder}`, '--output=/dev/null', `--wrap=touch ${mark}`], {
    stdio: 'ignore',
  });
  while (!existsSync(mark)) await sleep(5);
  rmSync(mark);
  return performance.now() - start;
}
