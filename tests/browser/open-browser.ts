import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executablePath = process.env.TUNELOOM_CHROMIUM ?? '/usr/bin/chromium';

/** Why tests in a browser are skipped; undefined where there is one. */
export const noBrowser = existsSync(executablePath) ? undefined : `there is no ${executablePath}`;

/** The beginning of a test's title: says why the test is skipped. */
export const inBrowser = noBrowser === undefined ? 'in a browser' : `in a browser (skipped: ${noBrowser})`;

/** Debian's chromium, with further options of its command line, until it is disposed of. */
export async function openBrowser(...options: string[]): Promise<Browser & AsyncDisposable> {
  // As root, chromium refuses to start its sandbox.
  const args = [...(userInfo().uid === 0 ? ['--no-sandbox'] : []), ...options];
  const browser = await chromium.launch({ executablePath, args });
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
}

export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Requests for anything but files, data and the addresses that are allowed; each was refused. */
  readonly outside: readonly string[];
  /** Errors of the page's scripts, and what the console complains about. */
  readonly problems: readonly string[];
}

/** A page that can reach nothing but files and addresses that begin with `allowed`. */
export async function openPage(
  browser: Browser,
  { allowed = [], ...options }: BrowserContextOptions & { readonly allowed?: readonly string[] } = {},
): Promise<OpenPage> {
  const context = await browser.newContext(options);
  const [outside, problems]: [string[], string[]] = [[], []];
  await context.route('**/*', async (route) => {
    const address = route.request().url();
    if (/^(file|data|blob):/.test(address) || allowed.some((start) => address.startsWith(start)))
      return await route.continue();
    outside.push(address);
    return await route.abort();
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  return { page, outside, problems, [Symbol.asyncDispose]: () => context.close() };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds wrong with a page: the rule and the elements, one line each. Empty for an accessible page. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  // Not a script element, which a page's policy may refuse.
  await page.evaluate(axe);
  return await page.evaluate(async () => {
    // axe has no types in the page's world.
    const run = (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run;
    const { violations } = await run();
    return violations.map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes
          .slice(0, 3)
          .map(({ html }) => html.slice(0, 160))
          .join(' | ')}`,
    );
  });
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** Whether the page is wider than its window, so that a reader would have to scroll sideways. */
export const scrollsSideways = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
