import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { answerError, notFound } from './answers.ts';
import { arenaRoutes } from './arena-routes.ts';
import { artifactRoutes } from './artifact-routes.ts';
import { Chats } from './chat-routes.ts';
import { guard, newAccess } from './guard.ts';
import { listen } from './listen.ts';
import { Project, type ProjectOptions } from './project.ts';
import { reviewRoutes } from './review-routes.ts';
import { runRoutes } from './run-routes.ts';
import { StartedRuns } from './started-runs.ts';

export interface ServerOptions extends ProjectOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** The name under which this person's ratings and votes are kept, unless the page says another. */
  readonly person: string;
  /** Absolute paths in the built program: the command, the process of a conversation, the folder of the pages. */
  readonly program: string;
  readonly chatProcess: string;
  readonly pages: string;
  /** Called with an internal error. */
  readonly onBug: (error: unknown) => void;
}

export interface RunningServer {
  /** With the token: whoever has it may use the server. */
  readonly address: string;
  /** The number of runs that the server started and that are still going. */
  readonly runs: () => number;
  /** Stops the runs that the server started, ends its conversations and closes every connection. */
  readonly close: () => Promise<void>;
}

/** Serves the pages on this machine's own loopback address. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { folder, store, program, port: wanted } = options;
  const project = new Project(options);
  const started = new StartedRuns({ program, store: store.root, folder });
  const chats = new Chats(project, options.chatProcess);
  const access = newAccess();
  let port = wanted;
  const app = new Hono();
  app.use(guard(access, () => port));
  app.use(bodyLimit({ maxSize: 2 ** 20 }));
  app.onError((error, context) => answerError(error, context, options.onBug));
  app.notFound((context) => answerError(notFound('such page'), context, options.onBug));
  const pages = app.basePath(access.path);
  pages.get('/', (context) => context.html(indexPage));
  for (const [name, type] of Object.entries({ 'ui.js': 'text/javascript', 'style.css': 'text/css' }))
    pages.get(`/${name}`, async (context) =>
      context.body(await readFile(join(options.pages, name), 'utf8'), 200, {
        'content-type': `${type}; charset=utf-8`,
      }),
    );
  pages.get('/api/project', async (context) =>
    context.json({ folder, person: options.person, pipelines: await project.pipelines() }),
  );
  pages.route('/api/runs', runRoutes(project, started));
  pages.route('/api/artifact', artifactRoutes(project));
  pages.route('/api/review', reviewRoutes(project));
  pages.route('/api/arena', arenaRoutes(project));
  pages.route('/api/chats', chats.routes());
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server; // no HTTP/2 was asked for
  port = await listen(server, { port: wanted, hostname: '127.0.0.1' });
  return {
    address: `http://127.0.0.1:${port}${access.path}?token=${access.token}`,
    runs: () => started.count,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([started.stop(), chats.close()]);
      // Streams of events end only with their connections.
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Everything on the page is drawn by its script, from what the server answers. */
const indexPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>tuneloom</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
<body>
<div id="page"><noscript>These pages need JavaScript.</noscript></div>
<script src="ui.js"></script>
</body>
</html>
`;
