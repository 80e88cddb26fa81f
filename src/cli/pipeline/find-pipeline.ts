import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../usage-error.ts';

const FOLDERS = ['', 'pipelines'];

/** The only pipeline of a folder: a YAML file with `stages:` or `extends:` in it, there or in its `pipelines/`, as a relative path. */
export async function findPipeline(workingDirectory: string): Promise<string> {
  const found = (await Promise.all(FOLDERS.map((folder) => pipelinesIn(workingDirectory, folder)))).flat();
  const [only, another] = found;
  if (only === undefined) {
    throw new UsageError({
      message: 'there is no pipeline in this folder or in its `pipelines/`',
      help: 'name a file, as in `tuneloom run path/to/pipeline.yaml`, or write a first pipeline with `tuneloom init`',
    });
  }
  if (another !== undefined) {
    throw new UsageError({
      message: `there are several pipelines here: ${found.join(', ')}`,
      help: `name one of them first, as in \`tuneloom run ${only}\``,
    });
  }
  return only;
}

async function pipelinesIn(workingDirectory: string, folder: string): Promise<readonly string[]> {
  const names = (await namesIn(join(workingDirectory, folder))).filter(
    (name) => /\.ya?ml$/i.test(name) && !/\.lock\.ya?ml$/i.test(name),
  );
  const paths = names.sort().map((name) => join(folder, name));
  const texts = await Promise.all(paths.map((path) => textOf(join(workingDirectory, path))));
  return paths.filter((_, index) => /^(stages|extends)\s*:/m.test(texts[index] ?? ''));
}

const namesIn = (folder: string) => readdir(folder).catch((): string[] => []);
const textOf = (path: string) => readFile(path, 'utf8').catch(() => '');
