import type { DagNode } from '../graph/dag.ts';
import type { PortContent } from '../key/digest.ts';
import { type Decision, decideStage, inputsOf, type KnownOutputs } from '../plan/decide.ts';
import { askableKey } from '../plan/learn-records.ts';
import { publishOutputs } from '../store/publish-outputs.ts';
import type { StageOutcome } from '../store/run-records.ts';
import { executeSafely, reuse } from './execute-once.ts';
import { fetchInputs } from './fetch-inputs.ts';
import type { RunContext, StageTask } from './run-context.ts';
import { type StageOutcomes, withSkipped } from './skipped-stages.ts';
import { StageQueue } from './stage-queue.ts';

/** Decides each stage once its inputs are known, and runs those that have to run, up to `jobs` at a time. */
export async function runStages(
  nodes: ReadonlyMap<string, DagNode>,
  context: RunContext,
): Promise<StageOutcomes> {
  let ended: StageOutcomes = new Map();
  for (;;) {
    const runner = new StageRunner(nodes, context, ended);
    ended = await runner.run();
    if (!runner.mustDecideAgain) return withSkipped(nodes, ended, context);
  }
}

class StageRunner {
  readonly #context: RunContext;
  readonly #queue: StageQueue;
  readonly #known = new Map<string, Readonly<Record<string, PortContent>>>();
  readonly #outcomes = new Map<string, StageOutcome>();
  /** Decided; they wait for a free job or for an accelerator of their executor. */
  readonly #waiting: StageTask[] = [];
  readonly #running = new Map<StageTask, Promise<void>>();
  /** How stages ended before all were decided again. */
  readonly #before: StageOutcomes;
  #failed = false;
  #lacksInputs = false;

  constructor(nodes: ReadonlyMap<string, DagNode>, context: RunContext, before: StageOutcomes) {
    this.#context = context;
    this.#queue = new StageQueue(nodes);
    this.#before = before;
  }

  /**
   * Whether a stage could not run because a remote did not give one of its inputs: the stage that makes it runs after all,
   * which may change what comes after it.
   */
  get mustDecideAgain(): boolean {
    return this.#lacksInputs && !this.#context.signal.aborted;
  }

  async run(): Promise<StageOutcomes> {
    for (;;) {
      if (this.#mayStart()) await this.#decideReady();
      if (this.#mayStart()) this.#startWaiting();
      if (this.#running.size === 0) return this.#outcomes;
      await Promise.race(this.#running.values());
    }
  }

  #mayStart(): boolean {
    return !this.#context.signal.aborted && !this.#lacksInputs && (this.#context.keepGoing || !this.#failed);
  }

  async #decideReady(): Promise<void> {
    for (let ready = this.#queue.takeReady(); ready.length > 0; ready = this.#queue.takeReady()) {
      await this.#askRemotes(ready);
      for (const node of ready) await this.#decideNext(node);
    }
  }

  async #decideNext(node: DagNode): Promise<void> {
    const decision = await this.#decide(node);
    if (decision.kind === 'undecided')
      throw new Error(`${node.id} was ready and waits for ${decision.waitsFor}`);
    if (decision.kind === 'reused') return await this.#end(node, decision.outcome);
    const executor = await this.#context.executorFor(node);
    this.#waiting.push({ node, decision, inputs: knownInputs(node, this.#known), executor });
  }

  async #decide(
    node: DagNode,
  ): Promise<Exclude<Decision, { kind: 'reuse' }> | { kind: 'reused'; outcome: StageOutcome }> {
    for (;;) {
      const decision = await decideStage({ node, known: this.#known }, this.#context);
      const earlier = this.#endedBefore(node, decision);
      if (earlier !== undefined) return { kind: 'reused', outcome: earlier };
      if (decision.kind !== 'reuse') return decision;
      const outcome = reuse(node, { record: decision.record, context: this.#context });
      if (outcome !== undefined) return { kind: 'reused', outcome };
    }
  }

  /** How a stage ended before, if the same is to happen now. */
  #endedBefore(node: DagNode, decision: Decision): StageOutcome | undefined {
    const earlier = this.#before.get(node.id);
    if (earlier === undefined || earlier.decision === 'skipped' || decision.kind === 'undecided')
      return undefined;
    if (earlier.key !== decision.key) return undefined;
    const runsAgain = decision.kind === 'run' && decision.reason.kind !== 'forced';
    return earlier.decision === 'failed' || !runsAgain ? earlier : undefined;
  }

  /** Asks for the records of all stages that would run now, in one batch. */
  async #askRemotes(ready: readonly DagNode[]): Promise<void> {
    const { remotes, store, signal } = this.#context;
    if (remotes === undefined) return;
    const decisions: Decision[] = [];
    for (const node of ready) decisions.push(await decideStage({ node, known: this.#known }, this.#context));
    await remotes.learn(store, decisions.flatMap(askableKey), signal);
  }

  #startWaiting(): void {
    while (this.#running.size < this.#context.jobs) {
      const running = [...this.#running.keys()];
      const index = this.#waiting.findIndex((task) => hasRoom(task, running));
      const [task] = index === -1 ? [] : this.#waiting.splice(index, 1);
      if (task === undefined) return;
      this.#running.set(task, this.#execute(task));
    }
  }

  async #execute(task: StageTask): Promise<void> {
    const fetched = await fetchInputs(task, this.#context);
    if (fetched.kind === 'lacking') {
      for (const digest of fetched.digests) this.#context.unreachable.add(digest);
      this.#lacksInputs = true;
    } else {
      for (const stage of fetched.stages) await this.#publish(stage, this.#known.get(stage) ?? {});
      await this.#end(task.node, await executeSafely(task, this.#context));
    }
    this.#running.delete(task);
  }

  async #end(node: DagNode, outcome: StageOutcome): Promise<void> {
    this.#outcomes.set(node.id, outcome);
    if (outcome.decision !== 'ran' && outcome.decision !== 'reused') {
      this.#failed = true;
      return;
    }
    const { outputs } = outcome;
    await this.#publish(node.id, outputs);
    this.#known.set(node.id, outputs);
    this.#queue.ended(node.id);
  }

  #publish(stage: string, outputs: Readonly<Record<string, PortContent>>): Promise<void> {
    const { store, dag } = this.#context;
    return publishOutputs(store, { pipeline: dag.name, stage, outputs });
  }
}

/** Whether the executor of a task takes one more. */
function hasRoom(task: StageTask, running: readonly StageTask[]): boolean {
  const { jobs = Number.POSITIVE_INFINITY, accelerators = Number.POSITIVE_INFINITY } = task.executor.limits;
  const beside = running.filter(({ executor }) => executor === task.executor);
  if (beside.length >= jobs) return false;
  return !usesAccelerator(task) || beside.filter(usesAccelerator).length < accelerators;
}

const usesAccelerator = (task: StageTask): boolean => task.node.definition.device === 'accelerator';

function knownInputs(node: DagNode, known: KnownOutputs): Readonly<Record<string, PortContent>> {
  const inputs = inputsOf(node, known);
  if (inputs.kind === 'open') throw new Error(`${node.id} was decided without its inputs`);
  return inputs.contents;
}
