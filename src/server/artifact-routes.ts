import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import { isObject, jsonText } from '../core/index.ts';
import { openTensors } from '../formats/index.ts';
import type { RunRecord, Store } from '../runtime/index.ts';
import { portCodecs, readAll } from '../stages/index.ts';
import { namedTexts, type Tokenizer } from '../text/index.ts';
import { viewBatch } from '../view/index.ts';
import { notFound, numberOf } from './answers.ts';
import type { Project } from './project.ts';
import { findTokenizer, openOutput, outputsOf, type RunOutput } from './run-outputs.ts';

const mostItems = 200;
const defaultItems = 20;

/** What a run made, a page at a time. */
export function artifactRoutes(project: Project): Hono {
  const routes = new Hono();
  routes.get('/', async (context) => {
    const run = await project.run(context.req.query('run') ?? '');
    const outputs = outputsOf(project.store, { run, dag: await project.dagOf(run) });
    const opened = await openOutput(project.store, outputs, {
      stage: context.req.query('stage') ?? '',
      output: context.req.query('output') ?? '',
      part: context.req.query('part'),
    });
    await using content = opened.content;
    const page = await pageOf(opened.type, {
      path: content.path,
      store: project.store,
      run,
      opened,
      context,
      offset: numberOf(context, 'offset', 0),
      limit: Math.min(mostItems, numberOf(context, 'limit', defaultItems)),
      tokenizer: (vocabulary) => findTokenizer(vocabulary, { store: project.store, outputs }),
    });
    // Numbers of rows keep the spelling of their file.
    return context.body(jsonText({ ...page, digest: opened.digest }) ?? 'null', 200, {
      'content-type': 'application/json',
    });
  });
  return routes;
}

interface PageRequest {
  readonly path: string;
  readonly store: Store;
  readonly run: RunRecord;
  readonly opened: RunOutput;
  readonly context: Context;
  readonly offset: number;
  readonly limit: number;
  readonly tokenizer: (vocabulary: string) => Promise<Tokenizer | undefined>;
}

/** Some items of a content, or what there is to say about the whole. */
type ArtifactPage = Readonly<Record<string, unknown>> & { readonly type: string };

async function pageOf(type: RunOutput['type'], request: PageRequest): Promise<ArtifactPage> {
  switch (type) {
    case 'records':
      return { type, ...(await windowOf(portCodecs.records.read(request.path), request)) };
    case 'responses':
      return { type, ...(await windowOf(portCodecs.responses.read(request.path), request)) };
    case 'history':
      return { type, entries: await readAll(portCodecs.history.read(request.path)) };
    case 'scores':
      return { type, scores: await portCodecs.scores.read(request.path).read() };
    case 'tokens':
      return { type, ...(await tokensPage(request)) };
    case 'batches':
      return { type, ...(await batchPage(request)) };
    case 'model':
    case 'tokenizer':
      return { type, ...(await modelPage(request.path)) };
    default:
      return { type: 'file', ...(await filePage(request.path)) };
  }
}

/** Keeps `limit` items from `offset` on, and counts all. With a search, counts and keeps only items that hold the text. */
async function windowOf<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  { offset, limit, context }: Pick<PageRequest, 'offset' | 'limit' | 'context'>,
) {
  const wanted = (context.req.query('search') ?? '').toLowerCase();
  const kept: Item[] = [];
  let total = 0;
  for await (const item of items) {
    if (wanted !== '' && !(jsonText(item) ?? '').toLowerCase().includes(JSON.stringify(wanted).slice(1, -1)))
      continue;
    if (total >= offset && kept.length < limit) kept.push(item);
    total += 1;
  }
  return { offset, items: kept, total };
}

async function tokensPage(request: PageRequest) {
  const content = await portCodecs.tokens.read(request.path).read();
  const { vocabulary } = content;
  const tokenizer = await request.tokenizer(vocabulary);
  const window = await windowOf(namedTexts(content), request);
  const items = window.items.map(({ id, tokens, segments }) => ({
    id,
    segments: segments.map(({ role, end }, index) => {
      const ids = [...tokens.subarray(segments[index - 1]?.end ?? 0, end)];
      return { role, tokens: ids, texts: ids.map((token) => tokenizer?.decode([token])) };
    }),
  }));
  return { vocabulary, ...window, items };
}

/** One batch of an epoch, as training sees it. */
async function batchPage({ context, store, run, opened }: PageRequest) {
  const epoch = Math.max(1, numberOf(context, 'epoch', 1));
  const batch = Math.max(1, numberOf(context, 'batch', 1));
  const { stage, part } = opened;
  const view = await viewBatch(store, { run, stage, part, epoch, batch });
  if (view === undefined) throw notFound(`batch ${batch} in epoch ${epoch}`);
  return view;
}

async function modelPage(path: string) {
  const config =
    (await jsonFile(join(path, 'config.json'))) ?? (await jsonFile(join(path, 'endpoint.json'))) ?? {};
  const names = await readdir(path);
  const weights = ['model.gguf', 'model.safetensors'].find((name) => names.includes(name));
  if (weights === undefined) return { config, files: names.sort(), tensors: [] };
  await using file = await openTensors(join(path, weights));
  const tensors = [...file.tensors].map(([name, { shape, dtype, begin, end }]) => ({
    ...{ name, shape, dtype },
    bytes: end - begin,
  }));
  // Layers in the order of their numbers.
  const order = new Intl.Collator('en', { numeric: true });
  return { config, files: names.sort(), tensors: tensors.sort((a, b) => order.compare(a.name, b.name)) };
}

async function jsonFile(path: string): Promise<object | undefined> {
  const text = await readFile(path, 'utf8').catch(() => 'null');
  const value: unknown = JSON.parse(text);
  return isObject(value) ? value : undefined;
}

const mostBytes = 100_000;

/** The beginning of a file, or a folder's files. */
async function filePage(path: string) {
  const found = await stat(path);
  if (found.isDirectory()) return { files: (await readdir(path, { recursive: true })).sort() };
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
  return { bytes: found.size, text: buffer.subarray(0, bytesRead).toString('utf8') };
}
