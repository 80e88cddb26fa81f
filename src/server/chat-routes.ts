import { randomUUID } from 'node:crypto';
import { basename, dirname, extname, join } from 'node:path';
import { type Context, Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { hasFields, isNumber, isText, type JsonCheck, listOf, UserError } from '../core/index.ts';
import { changeFile } from '../judging/index.ts';
import { chatTemplateOf } from '../stages/index.ts';
import { bodyOf, notFound } from './answers.ts';
import { ChatProcess, type ChatSettings } from './chat-process.ts';
import type { Project } from './project.ts';
import { openOutput, outputsOf } from './run-outputs.ts';

interface OpenChat {
  readonly process: ChatProcess;
  /** Lets go of the model's files. */
  readonly close: () => Promise<void>;
  idle: NodeJS.Timeout;
}

/** Two models beside each other, in two tabs. */
const mostChats = 4;
const idleMilliseconds = 20 * 60 * 1000;

const isSettings = hasFields({
  maxNewTokens: (value) => isNumber(value) && Number.isSafeInteger(value) && Number(value) >= 1,
  temperature: (value) => isNumber(value) && Number(value) >= 0,
  topP: isNumber,
  minP: isNumber,
  repetitionPenalty: isNumber,
  seed: isNumber,
});

/** Conversations with the models of runs, each in its own process. */
export class Chats {
  readonly #project: Project;
  readonly #script: string;
  readonly #open = new Map<string, OpenChat>();

  /** `script`: the absolute path of the process that serves one conversation. */
  constructor(project: Project, script: string) {
    this.#project = project;
    this.#script = script;
  }

  routes(): Hono {
    const routes = new Hono();
    routes.post('/', async (context) => {
      const body = await bodyOf<{
        run: string;
        stage: string;
        output: string;
        system: string;
        template: string;
        settings: ChatSettings;
      }>(context, {
        run: isText,
        stage: isText,
        output: isText,
        system: isText,
        template: isText,
        settings: isSettings,
      });
      return context.json(await this.#start(body), 201);
    });
    routes.post('/keep', async (context) => context.json(await this.#keep(context), 201));
    routes.post('/:chat/ask', async (context) => {
      const chat = this.#find(context);
      const { text } = await bodyOf<{ text: string }>(context, { text: isText });
      return streamSSE(context, async (stream) => {
        // A page that is closed wants no more of the answer.
        stream.onAbort(() => chat.process.stop());
        let last = 0;
        try {
          const answer = await chat.process.ask(text, (soFar) => {
            const now = performance.now();
            if (now - last < 50) return;
            last = now;
            void stream.writeSSE({ event: 'text', data: JSON.stringify(soFar) });
          });
          await stream.writeSSE({ event: 'answer', data: JSON.stringify(answer) });
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          const { message, help } = error;
          await stream.writeSSE({ event: 'failed', data: JSON.stringify({ message, help }) });
        }
      });
    });
    routes.post('/:chat/stop', async (context) => {
      await bodyOf(context, {});
      this.#find(context).process.stop();
      return context.json({ stopped: true });
    });
    routes.post('/:chat/reset', async (context) => {
      await bodyOf(context, {});
      this.#find(context).process.reset();
      return context.json({ reset: true });
    });
    // As a beacon of a page that is closed, which can only post.
    routes.post('/:chat/close', async (context) => {
      await this.#close(context.req.param('chat'));
      return context.json({ closed: true });
    });
    return routes;
  }

  /** Ends all conversations. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.#close(id)));
  }

  async #start({
    run: runId,
    stage,
    output,
    system,
    template,
    settings,
  }: {
    run: string;
    stage: string;
    output: string;
    system: string;
    template: string;
    settings: ChatSettings;
  }) {
    const { store } = this.#project;
    const run = await this.#project.run(runId);
    const dag = await this.#project.dagOf(run);
    const opened = await openOutput(store, outputsOf(store, { run, dag }), { stage, output });
    const { content } = opened;
    try {
      if (opened.type !== 'model') throw notFound(`model ${stage}.${output} in this run`);
      await this.#makeRoom();
      const process = await ChatProcess.open(this.#script, {
        folder: content.path,
        template: template.trim() || (dag && chatTemplateOf(dag)),
        system: system.trim() === '' ? undefined : system,
        settings,
      });
      const id = randomUUID();
      const close = async () => content[Symbol.asyncDispose]();
      this.#open.set(id, { process, close, idle: this.#idleTimer(id) });
      return { chat: id, notes: process.notes };
    } catch (error) {
      await content[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Closes the conversation that nobody has used for the longest time. */
  async #makeRoom(): Promise<void> {
    if (this.#open.size < mostChats) return;
    const oldest = [...this.#open].find(([, { process }]) => !process.isBusy);
    if (oldest === undefined)
      throw new UserError({ code: 'busy', message: `${mostChats} models are answering already` });
    await this.#close(oldest[0]);
  }

  #idleTimer(id: string): NodeJS.Timeout {
    return setTimeout(() => void this.#close(id), idleMilliseconds).unref();
  }

  #find(context: Context): OpenChat {
    const id = context.req.param('chat') ?? '';
    const chat = this.#open.get(id);
    if (chat === undefined) throw notFound('such conversation any longer; start it again');
    clearTimeout(chat.idle);
    chat.idle = this.#idleTimer(id);
    // The order of a map is that of use.
    this.#open.delete(id);
    this.#open.set(id, chat);
    return chat;
  }

  async #close(id: string): Promise<void> {
    const chat = this.#open.get(id);
    if (chat === undefined) return;
    this.#open.delete(id);
    clearTimeout(chat.idle);
    await chat.process[Symbol.asyncDispose]();
    await chat.close();
  }

  /** Adds a conversation to a file of rows, in the layout that `load` reads and chat templates write. */
  async #keep(context: Context) {
    const body = await bodyOf<{
      run: string;
      model: string;
      messages: readonly { role: string; content: string }[];
    }>(context, { run: isText, model: isText, messages: isMessages });
    const run = await this.#project.run(body.run);
    const pipeline = await this.#project.fileOf(run);
    const file = join(dirname(pipeline), `${basename(pipeline, extname(pipeline))}.chat.jsonl`);
    const messages = body.messages.map(({ role, content }) => ({ role, content }));
    const row = JSON.stringify({ id: randomUUID(), model: body.model, run: run.run, messages });
    await changeFile(file, (text) => `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${row}\n`);
    return { file };
  }
}

const isMessages: JsonCheck = listOf(
  hasFields({
    role: (value) => ['system', 'user', 'assistant'].some((role) => role === value),
    content: isText,
  }),
);
