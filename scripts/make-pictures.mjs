// Runs shipped pipelines in a temporary folder, and draws the pictures of docs/pictures from the results. Pages are pictured in
// the chromium that TUNELOOM_CHROMIUM names, TensorBoard's by the Python of TUNELOOM_PYTHON, without which it is left out.
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
  const drawn = ['losses.svg', 'scores.svg', 'sweep.svg', 'report.png', 'ui.png'];
  if (process.env.TUNELOOM_PYTHON !== undefined) {
    await pictureTensorboard(process.env.TUNELOOM_PYTHON);
    drawn.push('tensorboard.png');
  }
  for (const name of drawn) {
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
  const browser = await openBrowser();
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

/** The losses of the quickstart's two trainings, in TensorBoard. */
async function pictureTensorboard(python) {
  run('track', 'pipelines/quickstart.yaml', 'tensorboard', '--all');
  const port = '6106';
  const server = spawn(python, ['-m', 'tensorboard.main', '--logdir', 'tensorboard', '--port', port], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const browser = await openBrowser();
  try {
    for await (const line of createInterface(server.stderr)) if (line.includes('http://')) break;
    const page = await browser.newPage({ viewport: { width: 1100, height: 620 } });
    await page.goto(`http://localhost:${port}/#timeseries`);
    const filter = page.getByRole('combobox', { name: 'Filter tags (regex)' });
    await filter.waitFor({ timeout: 120_000 });
    await filter.fill('train/(train|validation)_loss');
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.locator('line-chart').nth(1).waitFor({ timeout: 120_000 });
    await page.waitForTimeout(5000); // its lines are drawn with an animation
    await page.screenshot({ path: join(pictures, 'tensorboard.png') });
  } finally {
    server.kill();
    await browser.close();
  }
}

function openBrowser() {
  return chromium.launch({
    executablePath: process.env.TUNELOOM_CHROMIUM ?? '/usr/bin/chromium',
    args: userInfo().uid === 0 ? ['--no-sandbox'] : [], // as root, chromium refuses to start its sandbox
  });
}
