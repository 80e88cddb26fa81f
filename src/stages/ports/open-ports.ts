import type { ActionPort, StageAction, StageHost } from '../../runtime/index.ts';
import { type OpenWriter, portCodecs } from './port-codecs.ts';
import type { KnownPortType, PortReaders, PortWriters } from './port-contents.ts';

type ActionPorts = Readonly<Record<string, ActionPort>>;
type InputContents<Inputs extends InputTypes> = StageRun<unknown, Inputs, Record<string, never>>['inputs'];
type OutputContents<Outputs extends OutputTypes> = StageRun<
  unknown,
  Record<string, never>,
  Outputs
>['outputs'];

interface GivenInputs<Inputs extends InputTypes> {
  readonly types: Inputs;
  readonly ports: ActionPorts;
  readonly signal: AbortSignal;
}

/** The bound input ports as content, each read from disk only when the stage asks for it. Streams end when the signal says so. */
export function openInputs<Inputs extends InputTypes>({
  types,
  ports,
  signal,
}: GivenInputs<Inputs>): InputContents<Inputs> {
  const contents = Object.entries(types).map(([name, type]) => {
    const port = ports[name];
    if (port === undefined) return [name, undefined];
    const content = portCodecs[knownType(type)].read(pathOf(name, port));
    return [name, isStream(content) ? untilAborted(content, signal) : content];
  });
  return Object.fromEntries(contents) as InputContents<Inputs>; // the table gives each type its own reader
}

const isStream = (content: object): content is AsyncIterable<unknown> => Symbol.asyncIterator in content;

async function* untilAborted(stream: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<unknown> {
  for await (const item of stream) {
    signal.throwIfAborted();
    yield item;
  }
}

/** The outputs as writers; `close` ends all of them, whatever became of the stage. */
export async function openOutputs<Outputs extends OutputTypes>(
  types: Outputs,
  ports: ActionPorts,
): Promise<OpenWriter<OutputContents<Outputs>>> {
  const opened: OpenWriter<unknown>[] = [];
  const openAt = async (type: KnownPortType, path: string) => {
    const writer: OpenWriter<unknown> = await portCodecs[type].openWriter(path);
    opened.push(writer);
    return writer.content;
  };
  const close = async () => {
    await Promise.all(opened.map((writer) => writer.close()));
  };
  const contents: [string, unknown][] = [];
  try {
    for (const [name, type] of Object.entries(types)) {
      contents.push([name, await openOutput({ name, type, port: ports[name], openAt })]);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { content: Object.fromEntries(contents) as OutputContents<Outputs>, close }; // the table gives each type its own writer
}

interface OutputToOpen<Content> {
  readonly name: string;
  readonly type: string;
  readonly port: ActionPort | undefined;
  readonly openAt: (type: KnownPortType, path: string) => Promise<Content>;
}

async function openOutput<Content>({ name, type, port, openAt }: OutputToOpen<Content>) {
  if (port === undefined) return undefined;
  if (!type.endsWith('[part]')) return openAt(knownType(type), pathOf(name, port));
  const contents: [string, Content][] = [];
  for (const [part, path] of Object.entries('parts' in port ? port.parts : {})) {
    contents.push([part, await openAt(knownType(type), path)]);
  }
  return Object.fromEntries(contents);
}

const knownType = (type: string): KnownPortType => type.replace(/\?$|\[part\]$/, '') as KnownPortType; // InputTypes and OutputTypes allow these endings only

function pathOf(name: string, port: ActionPort): string {
  if ('path' in port) return port.path;
  throw new Error(`port ${name} was given parts where it takes one content`);
}

/** Input port -> the type its content is read as. A trailing `?` marks a port that need not be bound. */
export type InputTypes = Readonly<Record<string, KnownPortType | `${KnownPortType}?`>>;

/**
 * Output port -> the type of its content. A trailing `?` marks an output that the configuration may leave out;
 * `[part]` marks one whose parts the stage makes itself, as split does.
 */
export type OutputTypes = Readonly<
  Record<string, KnownPortType | `${KnownPortType}?` | `${KnownPortType}[part]`>
>;

type InputContent<Type> = Type extends KnownPortType
  ? PortReaders[Type]
  : Type extends `${infer Known extends KnownPortType}?`
    ? PortReaders[Known] | undefined
    : never;

type OutputContent<Type> = Type extends KnownPortType
  ? PortWriters[Type]
  : Type extends `${infer Known extends KnownPortType}?`
    ? PortWriters[Known] | undefined
    : Type extends `${infer Known extends KnownPortType}[part]`
      ? Readonly<Record<string, PortWriters[Known]>>
      : never;

/** What a stage's code is given: its configuration, and its ports as typed content rather than paths. */
export interface StageRun<Config, Inputs extends InputTypes, Outputs extends OutputTypes> {
  readonly config: Config;
  readonly inputs: { readonly [Port in keyof Inputs]: InputContent<Inputs[Port]> };
  readonly outputs: { readonly [Port in keyof Outputs]: OutputContent<Outputs[Port]> };
  /** For a stage that maps parts: the one at hand; undefined where the input has no parts. */
  readonly part: string | undefined;
  /** A private folder kept under the stage's key, for resuming after an interruption. */
  readonly statePath: string;
  /** Shared by executions whose results for one example are the same; undefined where nothing is to be shared. */
  readonly memoPath: string | undefined;
  /** Shared by executions that differ in how far they go. */
  readonly checkpointPath: string | undefined;
  readonly resources: StageAction['resources'];
  readonly host: StageHost;
}
