// What an executor adds to a stage: node bench/executors.mjs SETTINGS EXECUTOR... [--runs 7]
// SETTINGS is a settings.yaml that defines the executors. The stage sleeps for a second and writes one line. Each run has a
// new key, and reports the time from the stage's start to its end, its result in the local store. The difference to this
// machine's own time is what submitting, sending, waiting for a scheduler, watching and fetching cost.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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
  const measured = ['local', ...executors].map((executor) => {
    const runs = Array.from({ length: Number(values.runs) }, () => times(executor));
    return { executor, first: median(runs.map(([ms]) => ms)), second: median(runs.map(([, ms]) => ms)) };
  });
  const [here] = measured;
  for (const { executor, first, second } of measured)
    console.log(
      `${executor.padEnd(12)} first stage ${first} ms (+${first - here.first}), second ${second} ms (+${second - here.second})`,
    );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
