// Runs shipped pipelines in a temporary folder, and draws the pictures of docs/pictures from the results. Pages are pictured in
// the chromium that TUNELOOM_CHROMIUM names.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

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
  await picturePages();
  for (const name of ['losses.svg', 'scores.svg', 'sweep.svg', 'report.png', 'ui.png']) {
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

/** The report of the quickstart, and its answers in the arena of `ui`. */
async function picturePages() {
  const report = join(folder, 'report.html');
  run('report', 'pipelines/quickstart.yaml', '-o', report);
  const browser = await chromium.launch({
    executablePath: process.env.TUNELOOM_CHROMIUM ?? '/usr/bin/chromium',
    args: userInfo().uid === 0 ? ['--no-sandbox'] : [], // as root, chromium refuses to start its sandbox
  });
  const server = spawn(process.execPath, [tuneloom, 'ui', '--rater', 'you'], { cwd: folder });
  try {
    const page = await browser.newPage({ viewport: { width: 1000, height: 640 } });
    await page.goto(pathToFileURL(report).href);
    await page.getByRole('heading', { name: 'Training' }).waitFor();
    await page.screenshot({ path: join(pictures, 'report.png') });
    const [address] = await once(createInterface(server.stdout), 'line');
    await page.goto(address);
    await page.getByRole('link', { name: 'Arena' }).click();
    await page.getByRole('button', { name: 'Left is better' }).waitFor();
    await page.screenshot({ path: join(pictures, 'ui.png'), fullPage: true });
  } finally {
    server.kill('SIGINT');
    await browser.close();
  }
}
