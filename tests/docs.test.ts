import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sandboxFinding } from '../src/cli/doctor/machine.ts';
import { writeSampleAdapter } from './fixtures/docs/sample-adapter.ts';
import { writeSampleData } from './fixtures/docs/sample-data.ts';
import { writeSampleModel } from './fixtures/docs/sample-model.ts';
import { sampleRepositories } from './fixtures/docs/sample-repositories.ts';
import { type LoopbackHub, openLoopbackHub } from './remote/rig/loopback-hub.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const tuneloom = join(root, 'dist/tuneloom.js');

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

const pages = async (): Promise<readonly string[]> => {
  const inDocs = (await readdir(join(root, 'docs'), { recursive: true })).filter((name) =>
    name.endsWith('.md'),
  );
  return [
    ...inDocs.map((name) => join(root, 'docs', name)),
    join(root, 'README.md'),
    join(root, 'CONTRIBUTING.md'),
  ].sort();
};

const blocksOf = async (page: string): Promise<readonly Block[]> => {
  const text = await readFile(page, 'utf8');
  return [...text.matchAll(/^```(yaml|ts)\n([\s\S]*?)^```$/gm)].map((match) => ({
    page: relative(root, page),
    line: text.slice(0, match.index).split('\n').length,
    language: match[1] ?? '',
    text: match[2] ?? '',
  }));
};

const sandbox = await sandboxFinding();
/** Without a sandbox, pipelines that need one would be refused. */
const canRun = ({ page }: Block) => sandbox.state === 'good' || page !== 'docs/stages/execute.md';
const allBlocks = (await Promise.all((await pages()).map(blocksOf))).flat();
const fileOf = ({ text }: Block): string | undefined =>
  /^(?:#|\/\/) ([\w./-]+\.(?:yaml|ts))\n/.exec(text)?.[1];
const blocks = allBlocks.filter(
  (block) => block.language === 'yaml' && fileOf(block) === undefined && canRun(block),
);
const settingsFile = '.tuneloom/settings.yaml';
const settingsBlocks = allBlocks.filter((block) => fileOf(block) === settingsFile);

/** A model behind OpenAI's protocol that gives every prompt the same mark, and every pair the same verdict. */
const judgeServer = createServer((request, response) => {
  let asked = '';
  request.setEncoding('utf8').on('data', (piece) => {
    asked += piece;
  });
  request.on('end', () => {
    const content = asked.includes('[[A]]') ? '[[B]]' : '80';
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        id: '1',
        object: 'chat.completion',
        created: 0,
        model: 'llama3.2',
        choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      }),
    );
  });
});

describe('the documentation', () => {
  let folder = '';
  let address = '';
  let hub: LoopbackHub | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tuneloom-docs-'));
    await writeSampleData(join(folder, 'data'));
    hub = await openLoopbackHub(await sampleRepositories());
    await writeSampleModel(join(folder, 'models/gpt2'));
    const quantized = join(root, 'tests/fixtures/model/gguf/kept-llama.gguf');
    await copyFile(quantized, join(folder, 'models/smollm2-q4_1.gguf'));
    for (const name of ['short', 'long']) await writeSampleAdapter(join(folder, 'adapters', name));
    for (const block of allBlocks) await writeNamed(folder, block);
    await new Promise<void>((listening) => judgeServer.listen(0, '127.0.0.1', listening));
    address = `http://127.0.0.1:${(judgeServer.address() as AddressInfo).port}/v1`; // a TCP server has a port
  });

  afterAll(async () => {
    await hub?.[Symbol.asyncDispose]();
    judgeServer.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(blocks)('the YAML in $page:$line runs', async ({ page, line, text }) => {
    const file = join(folder, `${page.replaceAll(/\W/g, '-')}-${line}.yaml`);
    await writeFile(file, text);
    const run = await execa('node', [tuneloom, 'run', file], {
      cwd: folder,
      reject: false,
      all: true,
      env: { OPENAI_BASE_URL: address, OPENAI_API_KEY: 'none', HF_ENDPOINT: hub?.endpoint },
    });
    expect(run.exitCode === 0 ? '' : run.all).toBe('');
  });

  it.each(settingsBlocks)('the settings in $page:$line have no mistakes', async ({ page, line, text }) => {
    const project = join(folder, `settings-${page.replaceAll(/\W/g, '-')}-${line}`);
    await mkdir(join(project, '.tuneloom'), { recursive: true });
    await writeFile(join(project, settingsFile), text);
    const list = await execa('node', [tuneloom, 'remote', 'list'], {
      cwd: project,
      reject: false,
      all: true,
    });
    expect(list.exitCode === 0 ? '' : list.all).toBe('');
  });

  it('every command in a block is found by npx, and has the options that it is shown with', async () => {
    const shown = (await Promise.all((await pages()).map(commandsIn))).flat();
    const names = [...new Set(shown.flatMap(({ name }) => name ?? []))];
    const helpOf = new Map(
      await Promise.all(
        names.map(async (name) => [name, (await execa('node', [tuneloom, name, '--help'])).stdout] as const),
      ),
    );
    const wrong = shown.filter(
      ({ name, options }) =>
        name === undefined || options.some((option) => !helpOf.get(name)?.match(`[ ,]${option}[ ,\\n]`)),
    );
    expect(wrong).toEqual([]);
    expect(shown.length).toBeGreaterThan(20);
  });

  it('every link to a page of ours leads somewhere', async () => {
    const dead = (await Promise.all((await pages()).map(deadLinks))).flat();
    expect(dead).toEqual([]);
  });

  it('every pipeline of a benchmark is named on the page of benchmarks', async () => {
    const page = await readFile(join(root, 'docs/benchmarks.md'), 'utf8');
    const shipped = await readdir(join(root, 'pipelines/benchmarks'));
    const unnamed = shipped.filter((file) => !page.includes(`\`${file.replace(/\.yaml$/, '')}\``));
    expect(unnamed).toEqual([]);
  });

  it('every source file that a page names exists', async () => {
    const named = (await Promise.all((await pages()).map((page) => readFile(page, 'utf8'))))
      .flatMap((text) => [...text.matchAll(/`((?:src|tests|scripts|bench)\/[\w./-]+\.\w+)`/g)])
      .map(([, path = '']) => path);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(named.length).toBeGreaterThan(20);
  });
});

/** A block that starts with a file name in a comment is written as that file, for other blocks to use. */
async function writeNamed(folder: string, block: Block): Promise<void> {
  const file = fileOf(block);
  // Settings would count for every other block.
  if (file === undefined || file === settingsFile) return;
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), block.text);
}

interface ShownCommand {
  readonly line: string;
  /** Undefined if it is called without npx: `npm ci` does not put tuneloom on the PATH. */
  readonly name: string | undefined;
  readonly options: readonly string[];
}

async function commandsIn(page: string): Promise<readonly ShownCommand[]> {
  const text = await readFile(page, 'utf8');
  const commands = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, language]) => language === '' || language === 'sh')
    .flatMap(([, , block = '']) => block.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.replace(/ +#.*/, ''))
    .filter((line) => /\btuneloom [a-z]/.test(line));
  return commands.map((line) => ({
    line,
    name: /\bnpx tuneloom ([a-z]+)/.exec(line)?.[1],
    options: [...line.matchAll(/ (--?[a-z][\w-]*)/g)].map(([, option = '']) => option),
  }));
}

async function deadLinks(page: string): Promise<readonly string[]> {
  const text = await readFile(page, 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
  const checked = await Promise.all(
    targets.map(async (target) =>
      (await exists(join(dirname(page), target))) ? [] : [`${relative(root, page)} -> ${target}`],
    ),
  );
  return checked.flat();
}

const exists = (path: string): Promise<boolean> =>
  readFile(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'EISDIR',
  );
