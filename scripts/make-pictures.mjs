// Runs shipped pipelines in a temporary folder, and draws the pictures of docs/pictures from the results.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const tuneloom = resolve('dist/tuneloom.js');
const pictures = resolve('docs/pictures');
const mostBytes = 200_000;

const folder = await mkdtemp(join(tmpdir(), 'tuneloom-pictures-'));
try {
  await mkdir(pictures, { recursive: true });
  await cp('pipelines', join(folder, 'pipelines'), {
    recursive: true,
    filter: (path) => !path.endsWith('.lock.yaml'),
  });
  await writeFile(join(folder, 'package.json'), '{}');
  // The quickstart, tuned for so long that it overfits.
  run('run', 'pipelines/quickstart.yaml', '-p', 'learning_rate=2.0e-3', '-p', 'epochs=12');
  run('plot', 'pipelines/quickstart.yaml', 'history', '-o', join(pictures, 'losses.svg'));
  run('run', 'pipelines/quickstart.yaml');
  run('plot', 'pipelines/quickstart.yaml', 'scores', '-o', join(pictures, 'scores.svg'));
  run('run', 'pipelines/sweep.yaml');
  run('plot', 'pipelines/sweep.yaml', 'sweep', '-o', join(pictures, 'sweep.svg'));
  for (const name of ['losses.svg', 'scores.svg', 'sweep.svg']) {
    const { size } = await stat(join(pictures, name));
    if (size > mostBytes) throw new Error(`docs/pictures/${name} has ${size} bytes, more than ${mostBytes}`);
    console.log(`docs/pictures/${name}: ${size} bytes`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function run(...words) {
  const { status } = spawnSync(process.execPath, [tuneloom, ...words], { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new Error(`tuneloom ${words.join(' ')} ended with ${status}`);
}
