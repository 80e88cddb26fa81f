import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const folder = 'schemas/stages';
const suffix = '.schema.json';

/** The hand-written schemas: a pipeline file's own fields, each stage's `with`, stage.yaml and settings. A broken one is listed, and the others are still read. */
export async function readSchemas(root) {
  const stages = [];
  const broken = [];
  for (const file of (await readdir(join(root, folder))).filter((name) => name.endsWith(suffix)).sort()) {
    const name = file.slice(0, -suffix.length);
    try {
      const path = join(root, folder, file);
      const text = await readFile(path, 'utf8');
      const schema = JSON.parse(text);
      if (JSON.stringify(schema).includes('"$ref"'))
        throw new Error('write the schema in place: $ref is not supported');
      stages.push({ name, schema, path, text });
    } catch (error) {
      broken.push({ file: `${folder}/${file}`, message: error.message });
    }
  }
  const pipeline = JSON.parse(await readFile(join(root, 'schemas/pipeline.base.schema.json'), 'utf8'));
  const ownStage = JSON.parse(await readFile(join(root, 'schemas/own-stage.schema.json'), 'utf8'));
  const settings = JSON.parse(await readFile(join(root, 'schemas/settings.schema.json'), 'utf8'));
  return { pipeline, ownStage, settings, stages, broken };
}
