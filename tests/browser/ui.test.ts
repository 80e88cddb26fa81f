import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCliRig } from '../cli/rig.ts';
import { hostile, openUi, type UiRig, uiProject } from '../server/rig.ts';
import {
  accessibilityProblems,
  inBrowser,
  noBrowser,
  type OpenPage,
  openBrowser,
  openPage,
  scrollsSideways,
} from './open-browser.ts';

describe.skipIf(noBrowser !== undefined)(`the pages of ui, ${inBrowser}`, () => {
  let ui: UiRig;
  let browser: Browser & AsyncDisposable;
  /** The latest first. */
  let runs: readonly string[];
  beforeAll(async () => {
    const cli = await openCliRig(uiProject);
    for (const epochs of ['1', '2']) {
      const { exitCode, stderr } = await cli.tuneloom('run', 'small.yaml', '-p', `epochs=${epochs}`);
      expect([exitCode, stderr]).toEqual([0, '']);
    }
    ui = await openUi(cli);
    const { rows } = await ui.get<{ rows: { run: string }[] }>('runs');
    runs = rows.map(({ run }) => run);
    browser = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await ui[Symbol.asyncDispose]();
    await ui.cli[Symbol.asyncDispose]();
  });

  /** A page that is let in, and goes to a place. */
  async function enter(hash: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
    const opened = await openPage(browser, { allowed: [ui.base], ...options });
    await opened.page.goto(ui.address);
    await opened.page.waitForURL(ui.base);
    await opened.page.goto(`${ui.base}${hash}`);
    await opened.page.locator('main [class]').first().waitFor();
    return opened;
  }

  const pages = (): Readonly<Record<string, { readonly hash: string; readonly shows: string }>> => {
    const [last = '', first = ''] = runs;
    const of = (output: string) => `#/artifacts?run=${last}&${output}`;
    return {
      runs: { hash: '#/runs', shows: 'exact_match' },
      run: { hash: `#/run?run=${last}`, shows: 'Losses of train' },
      compare: { hash: `#/compare?runs=${first},${last}`, shows: 'epochs' },
      records: { hash: of('stage=load&output=records'), shows: 'Count one.' },
      batches: { hash: of('stage=collate&output=batches'), shows: 'masked: read, not learned' },
      history: { hash: of('stage=train&output=history'), shows: 'train loss' },
      model: { hash: of('stage=train&output=model'), shows: 'parameters in' },
      responses: { hash: of('stage=loud&output=responses'), shows: 'ONE' },
      scores: { hash: of('stage=score&output=scores'), shows: 'exact_match' },
      review: { hash: `#/review?run=${last}&stage=loud`, shows: 'Ratings are kept in' },
      arena: { hash: `#/arena?run=${last}&first=plain&second=loud`, shows: 'Choices are kept in' },
      chat: { hash: `#/chat?run=${last}&stage=train`, shows: 'No message yet.' },
    };
  };
  const looks = {
    'wide and light': { viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
    'narrow and dark': { viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
  } as const;

  test.each(Object.entries(looks))(
    'every page, %s, is accessible, fits its window, fetches nothing from outside and shows HTML as text',
    async (_, look) => {
      await using opened = await enter('', look);
      const { page } = opened;
      const found: Record<string, unknown> = {};
      for (const [name, { hash, shows }] of Object.entries(pages())) {
        await page.goto(`${ui.base}${hash}`);
        await page.getByText(shows).first().waitFor({ state: 'attached' });
        found[name] = {
          accessibility: await accessibilityProblems(page),
          sideways: await scrollsSideways(page),
          made: await page.locator('main img, main script, main iframe').count(),
        };
      }
      const fine = { accessibility: [], sideways: false, made: 0 };
      expect(found).toEqual(Object.fromEntries(Object.keys(pages()).map((name) => [name, fine])));
      expect(opened.outside).toEqual([]);
      expect(opened.problems).toEqual([]);
      expect(await page.evaluate('window.hacked')).toBe(undefined);
    },
  );

  test('HTML in rows and in answers is read as it is written', async () => {
    const { records, responses, review, arena } = pages();
    await using opened = await enter('');
    for (const place of [records, responses, review, arena]) {
      await opened.page.goto(`${ui.base}${place?.hash}`);
      await opened.page.getByText(hostile).first().waitFor();
    }
    expect(await opened.page.evaluate('window.hacked')).toBe(undefined);
  });

  test('a person rates with the keyboard alone', async () => {
    await using opened = await enter(pages().review?.hash ?? '');
    const { page } = opened;
    const { keyboard } = page;
    const isAt = async (place: number) => {
      await page.getByText(`${place} of 4`, { exact: true }).waitFor();
      await page.getByLabel('Score').and(page.locator(':focus')).waitFor();
    };
    await isAt(1);
    await keyboard.type('80');
    await keyboard.press('Enter');
    await isAt(2);
    await keyboard.press('n');
    await keyboard.type('too loud');
    await keyboard.press('Escape');
    await keyboard.type('20');
    await keyboard.press('Enter');
    await isAt(3);
    await keyboard.press('s');
    await isAt(4);
    await keyboard.type('101');
    await keyboard.press('Enter');
    await page.getByRole('alert').getByText('101 is not between 0 and 100').waitFor();
    await keyboard.press('b');
    await isAt(3);
    await keyboard.press('b');
    await isAt(2);
    expect([await page.getByLabel('Score').inputValue(), await page.getByLabel('Note').inputValue()]).toEqual(
      ['20', 'too loud'],
    );
    const lines = await linesOf('small.loud.ratings.csv');
    expect(lines.filter((line) => line.includes(',ada,')).map((line) => line.split(',').slice(1, 4))).toEqual(
      [
        ['ada', '80', ''],
        ['ada', '20', 'too loud'],
      ],
    );
    expect(opened.problems).toEqual([]);
  });

  test('a person chooses between answers with the keyboard alone, and the board follows', async () => {
    await using opened = await enter(pages().arena?.hash ?? '');
    const { page } = opened;
    const isAt = (place: number) => page.getByText(`${place} of 4`, { exact: true }).waitFor();
    const plainSide = async () =>
      ((await page.getByLabel('The left answer').textContent()) ?? '').includes('window.hacked')
        ? 'ArrowRight'
        : 'ArrowLeft';
    await isAt(1);
    await page.getByText('It is empty until the first choice.').waitFor();
    await page.keyboard.press(await plainSide());
    await isAt(2);
    await page
      .getByText(/Pair 1 is kept\. Left was (plain, right was loud|loud, right was plain)\./)
      .waitFor();
    await page.keyboard.press('ArrowUp');
    await isAt(3);
    await page.keyboard.press('b');
    await isAt(2);
    await page.keyboard.press('s');
    await isAt(3);
    await page.getByRole('row', { name: /^plain/ }).waitFor();
    const battles = (await linesOf('small.battles.jsonl')).map((line) => JSON.parse(line));
    expect(
      battles.map(({ winner, model_a }) => winner === (model_a === 'plain' ? 'model_a' : 'model_b')),
    ).toEqual([true, false]);
    expect(battles[1].winner).toBe('tie');
    expect(opened.problems).toEqual([]);
  });

  test('a person talks with a model and keeps the conversation with the keyboard alone', async () => {
    await using opened = await enter(pages().chat?.hash ?? '');
    const { page } = opened;
    await page.getByText('Settings').focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Most new tokens').focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('4');
    await page.getByLabel('Message', { exact: true }).focus();
    await page.keyboard.type('Count one.');
    await page.keyboard.press('Enter');
    // The pipeline has a template of its own, which says nothing of a conversation.
    await page.getByRole('alert').getByText('the tokenizer has no chat template').waitFor();
    await page.getByLabel('Template').focus();
    await page.keyboard.type('alpaca');
    await page.getByLabel('Message', { exact: true }).focus();
    await page.keyboard.type('Count one.');
    await page.keyboard.press('Enter');
    await page.getByText(/^\d+ tokens$/).waitFor();
    await page.getByRole('button', { name: 'Keep as a row' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('small.chat.jsonl').waitFor();
    const [kept = '', ...others] = await linesOf('small.chat.jsonl');
    const { messages, model } = JSON.parse(kept);
    expect([others, model, messages.map(({ role }: { role: string }) => role), messages[0].content]).toEqual([
      [],
      'train',
      ['user', 'assistant'],
      'Count one.',
    ]);
    expect(opened.problems).toEqual([
      'Failed to load resource: the server responded with a status of 400 (Bad Request)',
    ]);
  });

  test('two runs are chosen and compared, pinned and filtered, with the keyboard alone', async () => {
    await using opened = await enter('#/runs');
    const { page } = opened;
    await page.getByRole('checkbox').first().focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Pin/, pressed: true }).waitFor();
    await page.getByRole('checkbox').nth(1).focus();
    await page.keyboard.press('Space');
    await page.getByLabel('Filter').focus();
    await page.keyboard.type('nothing has this');
    await page.getByText('1 of 2 rows match').waitFor();
    await page.getByRole('link', { name: 'Compare 2 runs' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '2 runs compared' }).waitFor();
    await page.getByRole('row', { name: /epochs 1 2/ }).waitFor();
    // What is pinned stays pinned.
    await page.goto(`${ui.base}#/runs`);
    await page.getByRole('button', { name: /^Pin/, pressed: true }).waitFor();
  });

  test('a run is started, followed and stopped in the page', async () => {
    await using opened = await enter('#/runs');
    const { page } = opened;
    await page.getByText('Start a run').click();
    await page.getByLabel('epochs').fill('100000');
    await page.getByLabel('Stages').selectOption('train');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText(/step [\d,]+ of 200,000/).waitFor();
    await page.locator('svg.plot').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.locator('.page-head').getByText('interrupted').waitFor();
    expect(opened.problems).toEqual([]);
  });

  test('without the token a browser sees nothing', async () => {
    await using opened = await openPage(browser, { allowed: [ui.base] });
    const answer = await opened.page.goto(ui.base);
    expect([answer?.status(), await opened.page.textContent('body')]).toEqual([
      401,
      'The token is missing or no longer right. Open the address that tuneloom ui has printed in its terminal.',
    ]);
  });

  test('a page of another origin, in the browser of someone who is let in, can neither read nor do anything', async () => {
    const before = await ui.get<{ rows: object[] }>('runs');
    const evil = createServer((_, answer) =>
      answer.setHeader('content-type', 'text/html').end(evilPage(ui.base)),
    );
    await new Promise<void>((listening) => evil.listen(0, '127.0.0.1', listening));
    const { port } = evil.address() as AddressInfo; // a TCP server has a port
    try {
      await using opened = await openPage(browser, {
        allowed: [ui.base, 'http://127.0.0.1', 'http://localhost'],
      });
      const { page } = opened;
      await page.goto(ui.address);
      await page.waitForURL(ui.base);
      // Of the same site, so that the browser sends the cookie; and of another one.
      for (const host of ['127.0.0.1', 'localhost']) {
        await page.goto(`http://${host}:${port}/`);
        expect([host, await results(page)]).toEqual([
          host,
          {
            get: 'failed',
            post: 'failed',
            blind: 'failed',
            script: 'refused',
            image: 'refused',
            frame: 'unreadable',
          },
        ]);
      }
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.evaluate('document.forms[0].submit()');
      await page.getByText('cannot use this server').waitFor();
    } finally {
      evil.close();
    }
    expect(await ui.get('runs')).toEqual(before);
  });

  test('a page whose name is bound to this machine afterwards is refused', async () => {
    await using rebinding = await openBrowser('--host-resolver-rules=MAP evil.test 127.0.0.1');
    await using opened = await openPage(rebinding, { allowed: ['http://evil.test'] });
    const answer = await opened.page.goto(ui.address.replace('127.0.0.1', 'evil.test'));
    expect([answer?.status(), await opened.page.textContent('body')]).toEqual([
      421,
      'This server answers only under 127.0.0.1 and localhost.',
    ]);
  });

  const linesOf = async (name: string): Promise<readonly string[]> =>
    (await readFile(join(ui.cli.folder, name), 'utf8')).trim().split('\n');
});

/** Tries what a page of another origin can try. */
const evilPage = (base: string): string => `<!doctype html>
<form action="${base}api/runs" method="post" enctype="text/plain"><input name='{"pipeline":"small.yaml","x":"' value='"}'></form>
<iframe src="${base}"></iframe>
<script>
const settle = (promise) => promise.then((answer) => answer.type, () => 'failed');
const tag = (name, field) => new Promise((resolve) => {
  const element = document.createElement(name);
  element.onload = () => resolve('loaded');
  element.onerror = () => resolve('refused');
  element[field] = '${base}ui.js';
  document.body.append(element);
});
const body = JSON.stringify({ pipeline: 'small.yaml', params: {}, stages: [] });
onload = async () => {
  let frame = 'unreadable';
  try { frame = frames[0].document.body.textContent; } catch {}
  window.results = {
    get: await settle(fetch('${base}api/runs', { credentials: 'include' })),
    post: await settle(fetch('${base}api/runs', { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body })),
    blind: await settle(fetch('${base}api/runs', { method: 'POST', mode: 'no-cors', credentials: 'include', body })),
    script: await tag('script', 'src'),
    image: await tag('img', 'src'),
    frame,
  };
};
</script>`;

async function results(page: Page): Promise<unknown> {
  await page.waitForFunction('window.results !== undefined');
  return page.evaluate('window.results');
}
