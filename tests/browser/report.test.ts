import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import {
  accessibilityProblems,
  inBrowser,
  noBrowser,
  openBrowser,
  openPage,
  scrollsSideways,
} from './open-browser.ts';
import { hostile, reportProject } from './report-project.ts';

describe.skipIf(noBrowser !== undefined)(`a report ${inBrowser}`, () => {
  let browser: Browser;
  let rig: CliRig;

  beforeAll(async () => {
    browser = await openBrowser();
    rig = await openCliRig(reportProject(60));
    const ran = await rig.tuneloom('run', 'report.yaml');
    expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0);
    await rig.tuneloom('run', 'report.yaml', '-p', 'length=32');
    for (const [words, file] of [
      [['latest'], 'one.html'],
      [await lastTwo(rig), 'two.html'],
    ] as const) {
      const written = await rig.tuneloom('report', 'report.yaml', ...words, '-o', file);
      expect(written.exitCode, written.stdout + written.stderr).toBe(0);
    }
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await rig?.[Symbol.asyncDispose]();
  });

  const open = async (file: string, options: BrowserContextOptions = {}) => {
    const opened = await openPage(browser, options);
    await opened.page.goto(pathToFileURL(`${rig.folder}/${file}`).href);
    await opened.page.locator('#answers .answer').first().waitFor();
    return opened;
  };

  const views = [360, 1440].flatMap((width) =>
    (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
  );
  it.each(views)(
    'has no accessibility problem at $width pixels in $colorScheme',
    async ({ width, colorScheme }) => {
      for (const file of ['one.html', 'two.html']) {
        await using opened = await open(file, { viewport: { width, height: 900 }, colorScheme });
        const { page } = opened;
        for (const details of await page.locator('details:visible > summary').all()) await details.click();
        expect(await accessibilityProblems(page)).toEqual([]);
        expect(await scrollsSideways(page)).toBe(false);
        expect(opened.problems).toEqual([]);
      }
    },
  );

  it('fetches nothing, and shows hostile text as text', async () => {
    await using opened = await open('one.html');
    const { page, outside, problems } = opened;
    const text = await page.locator('body').innerText();
    expect(text).toContain(hostile[0]);
    expect(text).toContain(hostile[1]);
    expect(text).toContain(hostile[4]);
    // Nothing that reorders or hides text reaches the page.
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/);
    expect(text).toContain('U+202E');
    expect(await page.evaluate('globalThis.pwned')).toBeUndefined();
    expect(await page.title()).toBe('report');
    expect(outside).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('marks where overfitting begins and the step that was kept', async () => {
    await using opened = await open('one.html');
    const training = opened.page.locator('#training');
    expect(await training.innerText()).toContain('Overfitting begins at step 20.');
    expect(await training.locator('svg desc').first().textContent()).toContain(
      'overfitting begins at step 20; the weights of step 60 were kept',
    );
  });

  it('can be searched, filtered and paged with the keyboard alone', async () => {
    await using opened = await open('one.html', { viewport: { width: 1000, height: 800 } });
    const { page } = opened;
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the results');
    await tabTo(page, 'Search questions and answers');
    await page.keyboard.type('QUESTION 18 ');
    await page.locator('#answers [role=status]', { hasText: '1 of 60 answers' }).waitFor();
    expect(await page.locator('#answers .answer mark').first().innerText()).toBe('question 18 ');
    for (let count = 0; count < 12; count++) await page.keyboard.press('Backspace');
    await page.locator('#answers [role=status]', { hasText: /^60 answers/ }).waitFor();
    await tabTo(page, 'only wrong');
    await page.keyboard.press('Space');
    await page.locator('#answers [role=status]', { hasText: '7 of 60 answers' }).waitFor();
    await page.keyboard.press('Space');
    await tabTo(page, 'Next');
    await page.keyboard.press('Enter');
    await page.locator('#answers .answer', { hasText: 'What is 25 times seven?' }).waitFor();
    // The next page begins where one reads.
    expect(await page.evaluate('document.activeElement?.getAttribute("start")')).toBe('26');
  });

  it('shows what changed between two runs', async () => {
    await using opened = await open('two.html');
    const compared = await opened.page.locator('#compared').innerText();
    expect(compared).toMatch(/params\s+length\s+64\s+32/);
    expect(compared).toMatch(/collate\s+with\.max_length\s+64\s+32/);
  });

  it('fits a sheet of paper, without what only a screen can use', async () => {
    await using opened = await open('one.html', {
      viewport: { width: 700, height: 990 },
      colorScheme: 'dark',
    });
    const { page } = opened;
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('nav:visible, input:visible, button.button:visible').count()).toBe(0);
    expect(await scrollsSideways(page)).toBe(false);
    expect((await page.pdf({ format: 'A4' })).byteLength).toBeGreaterThan(20_000);
    expect(await page.evaluate('getComputedStyle(document.body).color')).toBe('rgb(0, 0, 0)');
  });

  it('shows its tables where scripts are off', async () => {
    await using opened = await openPage(browser, { javaScriptEnabled: false });
    await opened.page.goto(pathToFileURL(`${rig.folder}/one.html`).href);
    expect(await opened.page.locator('body').innerText()).toMatch(/\| exact_match \| 0\.\d+/);
  });
});

describe.skipIf(noBrowser !== undefined)(`a report of 100,000 answers ${inBrowser}`, () => {
  it('keeps one page of them in the document, and finds and shows any', async () => {
    await using rig = await openCliRig(reportProject(100_000));
    const ran = await rig.tuneloom('run', 'report.yaml', 'scores_1', 'scores_2');
    expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0);
    expect((await rig.tuneloom('report')).stdout).toMatch(/^report\.html: 1 run, 100,000 answers, /);
    await using browser = await openBrowser();
    await using opened = await openPage(browser);
    const { page } = opened;
    await page.goto(pathToFileURL(`${rig.folder}/report.html`).href);
    await page.locator('#answers .answer').first().waitFor();
    expect(await page.locator('#answers .answer').count()).toBe(25);
    await page.getByRole('button', { name: 'Last' }).click();
    await page.locator('#answers .answer', { hasText: 'What is 99999 times seven?' }).waitFor();
    expect(await page.locator('#answers .answer').count()).toBe(25);
    await page.getByLabel('Search questions and answers').fill('question 77777 ');
    await page.locator('#answers [role=status]', { hasText: '1 of 100,000 answers' }).waitFor();
    await page.locator('#answers .answer', { hasText: 'What is 77777 times seven?' }).waitFor();
    expect(opened.problems).toEqual([]);
  }, 120_000);
});

const lastTwo = async (rig: CliRig): Promise<readonly string[]> => {
  const { stdout } = await rig.start('runs', 'report.yaml', '--json');
  const { runs } = JSON.parse(stdout) as { readonly runs: readonly { readonly run: string }[] };
  return [...runs.slice(0, 2).map(({ run }) => run)].reverse();
};

/** What a screen reader would call the element with the focus. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(
    '((e) => (e?.labels?.[0]?.textContent ?? e?.getAttribute("aria-label") ?? e?.textContent ?? "").trim())(document.activeElement)',
  );

/** Presses Tab until an element has the focus whose name begins so. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 200; presses++) {
    await page.keyboard.press('Tab');
    if ((await focused(page)).startsWith(name)) return;
  }
  throw new Error(`the Tab key never reaches ${name}`);
}
