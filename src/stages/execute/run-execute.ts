import { availableParallelism } from 'node:os';
import pMap from 'p-map';
import { type JsonObject, RecordProblems, UserError } from '../../core/index.ts';
import type { ExecuteConfig } from '../../generated/execute-config.ts';
import { type DataRecord, jinjaTemplate, parseResponse, type ResponseRecord } from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/port-contents.ts';
import { openSandbox, type ProgramResult, runProgram } from './sandbox.ts';

export const { run } = implementStage<ExecuteConfig>()({
  inputs: { responses: 'records', problems: 'records?' },
  outputs: { responses: 'responses' },
  async run({ config, inputs, outputs, resources, host }) {
    const [writeProgram, writeTests] = [textWriter(config.program), textWriter(config.tests)];
    const answers = await readAll(inputs.responses);
    const asked = inputs.problems && (await readAll(inputs.problems));
    const problems = new RecordProblems('make no program');
    const tasks = answersToRun(answers, asked).flatMap((response) => {
      const { id, prompt, expected, fields } = response;
      const row = { ...fields, prompt, expected, response: response.response ?? '' };
      const program = problems.collect({ id }, () => writeProgram(row));
      const tests = program === undefined ? undefined : problems.collect({ id }, () => writeTests(row));
      return program === undefined || tests === undefined ? [] : [{ response, program, tests }];
    });
    problems.throwIfAny();
    const sandbox = await openSandbox({
      python: config.python,
      timeoutSeconds: config.timeout_seconds,
      memoryMegabytes: config.memory_megabytes,
      processes: config.processes,
    });
    let done = 0;
    const runTask = async ({ response, program, tests }: (typeof tasks)[number]) => {
      const result = await runProgram(sandbox, { program, tests, signal: host.signal });
      done += 1;
      host.report({ type: 'progress', unit: 'program', done, total: tasks.length });
      return { response, result };
    };
    const concurrency = config.concurrency ?? resources.threads ?? availableParallelism();
    const ended = await pMap(tasks, runTask, { concurrency });
    const faults = new RecordProblems('have tests that are no Python program');
    const executed = ended.flatMap(
      ({ response, result }) => faults.collect(response, () => ({ ...response, ...outcomeOf(result) })) ?? [],
    );
    faults.throwIfAny();
    for (const response of executed) await outputs.responses.write(response);
    return { programs: ended.length, python: sandbox.pythonVersion };
  },
});

function outcomeOf({ outcome, invalidTests }: ProgramResult): {
  readonly passed: boolean;
  readonly outcome: string;
} {
  if (outcome !== undefined) return { passed: outcome === 'passed', outcome };
  throw new UserError({
    code: 'invalid-tests',
    message: `its tests: ${invalidTests}`,
    help: 'see the field `tests` of execute; by default they begin with the prompt, as that of a function without its body',
  });
}

const textWriter = (source: string): ((row: JsonObject) => string) => {
  const write = jinjaTemplate({ prompt: source, header: '', response: '' });
  return (row) =>
    write(row)
      .map(({ text }) => text)
      .join('');
};

/**
 * The responses to run: what generate wrote; or, with problems, samples {task_id, completion} from any program, joined
 * with their problems. Each problem needs a sample.
 */
function answersToRun(
  answers: readonly DataRecord[],
  problems: readonly DataRecord[] | undefined,
): readonly ResponseRecord[] {
  if (problems === undefined)
    return answers.map((record, index) => parseResponse(record, `responses:${index + 1}`));
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  const faults = new RecordProblems('are not samples of the problems');
  const joined = answers.flatMap(
    (sample) => faults.collect({ id: sample.id }, () => responseOf(sample, byId)) ?? [],
  );
  faults.throwIfAny();
  checkAttempted(problems, joined);
  return joined;
}

function responseOf(sample: DataRecord, problems: ReadonlyMap<string, DataRecord>): ResponseRecord {
  const { task_id: task, completion } = sample;
  if (typeof task !== 'string' || typeof completion !== 'string')
    throw new UserError({
      code: 'bad-sample',
      message: 'it lacks `task_id` or `completion`, or one of them is not text',
      help: 'a sample is {"task_id": "HumanEval/0", "completion": "..."}',
    });
  const problem = problems.get(task);
  if (problem === undefined)
    throw new UserError({ code: 'unknown-problem', message: `there is no problem \`${task}\`` });
  const { id: _, prompt, ...fields } = problem;
  return {
    id: sample.id,
    prompt: typeof prompt === 'string' ? prompt : '',
    expected: '',
    fields: { ...fields, task_id: task },
    response: completion,
  };
}

function checkAttempted(problems: readonly DataRecord[], joined: readonly ResponseRecord[]): void {
  const attempted = new Set(joined.map(({ fields }) => fields.task_id));
  const missed = problems.filter(({ id }) => !attempted.has(id)).map(({ id }) => id);
  if (missed.length > 0)
    throw new UserError({
      code: 'not-attempted',
      message: `${missed.length} of ${problems.length} problems have no sample: ${missed.slice(0, 5).join(', ')}${missed.length > 5 ? ` and ${missed.length - 5} more` : ''}`,
      help: 'pass@k is defined over all problems: try each at least once, or load fewer of them with `limit`',
    });
}
