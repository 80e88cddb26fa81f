// A run that has nothing to do: retune's quickstart against an empty Node process, and against DVC where it is installed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inTurns, seconds } from './median.mjs';

const rounds = Number(process.argv[2] ?? 9);
const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'retune-bench-'));

try {
  const retune = [
    join(root, 'dist/retune.js'),
    'run',
    join(root, 'pipelines/quickstart.yaml'),
    '--store',
    join(folder, 'store'),
  ];
  seconds('node', retune);
  const commands = {
    node: () => seconds('node', ['-e', '0']),
    retune: () => seconds('node', retune),
  };
  if (spawnSync('dvc', ['--version']).status === 0) commands.dvc = dvcRun(join(folder, 'dvc'));
  const medians = inTurns(commands, rounds);
  for (const [name, value] of Object.entries(medians))
    console.log(
      `${name.padEnd(8)} ${(value * 1000).toFixed(0).padStart(6)} ms   ${(value / medians.node).toFixed(1)} x node -e 0`,
    );
  if (medians.dvc) console.log(`retune takes ${(medians.retune / medians.dvc).toFixed(2)} of DVC's time`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A DVC pipeline of as many stages as the quickstart has, each copying a small file. */
function dvcRun(project) {
  mkdirSync(project);
  const stages = Array.from({ length: 11 }, (_, index) => {
    const [from, to] = [`file${index}`, `file${index + 1}`];
    return `  stage${index}:\n    cmd: cp ${from} ${to}\n    deps: [${from}]\n    outs: [${to}]`;
  });
  writeFileSync(join(project, 'file0'), 'data\n');
  writeFileSync(join(project, 'dvc.yaml'), `stages:\n${stages.join('\n')}\n`);
  const env = { ...process.env, DVC_NO_ANALYTICS: '1' };
  seconds('dvc', ['init', '--no-scm', '-q'], { cwd: project, env });
  seconds('dvc', ['repro', '-q'], { cwd: project, env });
  return () => seconds('dvc', ['repro', '-q'], { cwd: project, env });
}
