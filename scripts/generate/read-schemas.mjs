import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const suffix = '.schema.json';

/** The hand-written schemas: a pipeline file's own fields, each stage's `with`, and stage.yaml. A broken one is listed, and the others are still read. */
export async function readSchemas(root) {
  const folder = join(root, 'schemas/stages');
  const stages = [];
  const broken = [];
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(suffix)).sort()) {
    const name = file.slice(0, -suffix.length);
    try {
      const schema = JSON.parse(await readFile(join(folder, file), 'utf8'));
      if (JSON.stringify(schema).includes('"$ref"'))
        throw new Error('$ref is not supported: write the schema in its place');
      stages.push({ name, schema });
    } catch (error) {
      broken.push({ name, message: error.message });
    }
  }
  const pipeline = JSON.parse(await readFile(join(root, 'schemas/pipeline.base.schema.json'), 'utf8'));
  const ownStage = JSON.parse(await readFile(join(root, 'schemas/own-stage.schema.json'), 'utf8'));
  return { pipeline, ownStage, stages, broken };
}
