import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import type { BenchmarkRow, BenchmarkSource } from '../benchmark.ts';
import { fieldOf, type Located, optionalField, placeOf, readJsonLines, textOf, unfit } from '../located.ts';
import { findFiles, wantedTasks } from '../task-files.ts';

/** Class -> our template that compares as it does. */
const templates: ReadonlyMap<string, string> = new Map([
  ['evals.elsuite.basic.match:Match', 'match'],
  ['evals.elsuite.basic.includes:Includes', 'includes'],
  ['evals.elsuite.basic.fuzzy_match:FuzzyMatch', 'fuzzy'],
  ['evals.elsuite.basic.json_match:JsonMatch', 'json'],
  ['evals.elsuite.modelgraded.classify:ModelBasedClassify', 'model-graded'],
]);

/**
 * A registry, a folder with evals/*.yaml, data/ and modelgraded/*.yaml: a row for each sample of the wanted evals, which
 * are named as in the registry. An eval's name leads to its current version; every row holds how its answers are judged.
 */
export async function* readRegistry({ path, tasks }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  if (tasks === undefined)
    throw new UserError({
      code: 'no-tasks',
      message: 'a registry holds many evals, and `tasks` names none',
      help: 'write `tasks: [test-includes]`',
    });
  const files = await findFiles(path, {
    isWanted: (name) => /(^|\/)(evals|modelgraded)\/[^/]+\.yaml$/.test(name),
    expected: 'the folders evals, data and modelgraded of a registry',
  });
  const registry = new Map<string, Located>();
  const graders = new Map<string, Located>();
  for (const file of files) {
    const isGrader = basename(dirname(file.name)) === 'modelgraded';
    for (const [name, entry] of await readYaml(file.path)) (isGrader ? graders : registry).set(name, entry);
  }
  const root = dirname(dirname(files.find(({ name }) => name.includes('evals/'))?.path ?? path));
  for (const [name, entry] of wantedTasks(registry, tasks)) {
    const id = optionalField(entry, 'id');
    const version = id === undefined ? entry : wantedTasks(registry, [textOf(id)]).get(textOf(id));
    yield* readEval({ name, entry: version ?? entry, graders, root });
  }
}

async function readYaml(path: string): Promise<readonly (readonly [string, Located])[]> {
  const value: Json = parse(await readFile(path, 'utf8'), { maxAliasCount: 100 });
  if (!isObject(value)) return [];
  return Object.entries(value).map(([name, entry]) => [name, { value: entry, file: path, path: name }]);
}

interface Eval {
  readonly name: string;
  readonly entry: Located;
  readonly graders: ReadonlyMap<string, Located>;
  /** The registry's folder. */
  readonly root: string;
}

async function* readEval({ name, entry, graders, root }: Eval): AsyncGenerator<BenchmarkRow> {
  const kind = fieldOf(entry, 'class');
  const template = templates.get(textOf(kind));
  if (template === undefined) throw unfit(kind, `one of ${[...templates.keys()].join(', ')}`);
  const args = fieldOf(entry, 'args');
  const common: JsonObject = {
    eval: name,
    template,
    ...(template === 'includes' && optionalField(args, 'ignore_case')?.value === true
      ? { ignore_case: true }
      : {}),
    ...(template === 'model-graded' ? { grader: graderOf(args, graders) } : {}),
  };
  const path = join(root, 'data', textOf(fieldOf(args, 'samples_jsonl')));
  for (const [index, sample] of (await readJsonLines({ path, name: path })).entries()) {
    fieldOf(sample, 'input');
    const fields = isObject(sample.value) ? sample.value : {};
    yield {
      id: `${name}/${index}`,
      row: { ...fields, ...common },
      place: { path, line: sample.line },
    };
  }
}

function graderOf(args: Located, graders: ReadonlyMap<string, Located>): JsonObject {
  refuseUnsupported(args);
  const spec = textOf(fieldOf(args, 'modelgraded_spec'));
  const grader = graders.get(spec);
  if (grader === undefined || !isObject(grader.value))
    throw new UserError({
      code: 'no-grader',
      message: `${placeOf(args)}: there is no grader \`${spec}\` in the registry's folder modelgraded`,
      help: `there are ${[...graders.keys()].join(', ') || 'none'}`,
    });
  const added = { eval_type: 'answer_prompt', match_fn: 'match_fn', modelgraded_spec_args: 'values' };
  const more = Object.entries(added).flatMap(([name, as]) => {
    const given = optionalField(args, name);
    return given === undefined ? [] : [[as, given.value] as const];
  });
  return { ...grader.value, ...Object.fromEntries(more) };
}

/** Refuses evals with several answers to a sample, and evals of graders. */
function refuseUnsupported(args: Located): void {
  const answers = optionalField(args, 'multicomp_n');
  if (answers !== undefined && answers.value !== 1) throw unfit(answers, '1: one answer to a sample');
  const meta = optionalField(args, 'metaeval');
  if (meta?.value === true) throw unfit(meta, 'false: answers are graded, not grades');
}
