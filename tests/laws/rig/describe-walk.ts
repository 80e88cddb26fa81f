import { edited } from './edited.ts';
import { commandLineOf } from './load-written.ts';
import { type Project, startWith } from './project.ts';
import { topFile } from './sheets.ts';
import { firstStep, type Step, type Walk } from './walk.ts';
import { writeYaml } from './write-yaml.ts';

/** A walk as what its user does: each step the edit, the lines that it changes in the files, and the command. */
export function describeWalk({ start, steps }: Walk): string {
  let project = startWith(start);
  // Of the initial files only the pipelines are shown.
  let texts = project.files;
  const shown = [firstStep, ...steps].map((step, index) => {
    project = edited(project, step.edit);
    const now = { ...writeYaml(project).texts, ...project.files };
    const changes = Object.keys({ ...texts, ...now }).flatMap((path) => changedLines(path, { texts, now }));
    texts = now;
    const what = index === 0 ? 'begin with' : JSON.stringify(step.edit);
    return [`${index}. ${what}`, ...changes.map((line) => `     ${line}`), `   ${commandOf(step, project)}`];
  });
  return shown.flat().join('\n');
}

function changedLines(
  path: string,
  files: { readonly texts: Readonly<Record<string, string>>; readonly now: Readonly<Record<string, string>> },
): readonly string[] {
  const linesOf = (text = ''): readonly string[] => text.split(/\r?\n/).filter((line) => line !== '');
  const [before, after] = [linesOf(files.texts[path]), linesOf(files.now[path])];
  const gone = before.filter((line) => !after.includes(line)).map((line) => `- ${line}`);
  const come = after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`);
  return gone.length + come.length === 0 ? [] : [`${path}:`, ...gone, ...come];
}

/** Stages are chosen by number among those of the graph, which is not read here. */
function commandOf({ jobs, target, force, death }: Step, project: Project): string {
  const { params, sets } = commandLineOf(project);
  const words = [
    ...(target === undefined ? [] : [`(stage number ${target})`]),
    ...params.map((text) => `-p '${text}'`),
    ...sets.map((text) => `--set '${text}'`),
    ...(force === undefined ? [] : [`--force (stage number ${force})`]),
  ];
  const killed = death === undefined ? '' : `, first killed ${JSON.stringify(death)}`;
  return `tuneloom run ${[topFile, ...words, `--jobs ${jobs}`].join(' ')}${killed}`;
}
