import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A local index of Python packages, with the files that were requested. */
export interface PythonIndex extends AsyncDisposable {
  readonly url: URL;
  readonly asked: readonly string[];
}

interface Served {
  /** By file name: `tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl`. */
  readonly wheels: Readonly<Record<string, Buffer>>;
  /** Overrides the index's fields of every file. */
  readonly sha256?: string;
}

/** Answers as in PEP 691. */
export async function servePythonIndex({ wheels, sha256 }: Served): Promise<PythonIndex> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const [, folder, name = ''] = request.url?.split('/') ?? [];
    const wheel = wheels[name];
    if (folder === 'simple') {
      const files = Object.entries(wheels)
        .filter(([file]) => file.startsWith(`${name.replaceAll('-', '_')}-`))
        .map(([filename, bytes]) => ({
          ...{ filename, url: `../../files/${filename}`, size: bytes.length },
          hashes: { sha256: sha256 ?? createHash('sha256').update(bytes).digest('hex') },
        }));
      response
        .setHeader('content-type', 'application/vnd.pypi.simple.v1+json')
        .end(JSON.stringify({ files }));
    } else if (wheel !== undefined) {
      asked.push(name.split('-')[0] ?? '');
      response.end(wheel);
    } else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a listening server
  return {
    asked,
    url: new URL(`http://127.0.0.1:${port}/simple/`),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
