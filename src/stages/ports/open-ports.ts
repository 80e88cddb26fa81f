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

/** The bound input ports as content. Each is read only when the stage asks for it; streams throw when `signal` aborts. */
export function openInputs<Inputs extends InputTypes>(
  types: Inputs,
  { ports, signal }: { readonly ports: ActionPorts; readonly signal: AbortSignal },
): InputContents<Inputs> {
  const contents = Object.entries(types).map(([name, type]) => {
    const read = (port: ActionPort) => {
      const content = portCodecs[knownType(type)].read(pathOf(name, port));
      return isStream(content) ? untilAborted(content, signal) : content;
    };
    if (name.endsWith('.*')) return [name, namedContents(ports, name.slice(0, -1), read)];
    const port = ports[name];
    return [name, port === undefined ? undefined : read(port)];
  });
  return Object.fromEntries(contents) as InputContents<Inputs>; // the table gives each type its own reader
}

/** The ports with this prefix by the rest of their names, in the order of the names. */
const namedContents = <Content>(ports: ActionPorts, prefix: string, read: (port: ActionPort) => Content) =>
  new Map(
    Object.entries(ports)
      .filter(([name]) => name.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, port]): [string, Content] => [name.slice(prefix.length), read(port)]),
  );

const isStream = (content: object): content is AsyncIterable<unknown> => Symbol.asyncIterator in content;

async function* untilAborted(stream: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<unknown> {
  for await (const item of stream) {
    signal.throwIfAborted();
    yield item;
  }
}

/** The outputs as writers; `close` closes all of them, also after the stage failed. */
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
      contents.push([name, await openOutput({ name, type, port: ports[name] }, openAt)]);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { content: Object.fromEntries(contents) as OutputContents<Outputs>, close }; // the table gives each type its own writer
}

async function openOutput<Content>(
  output: { readonly name: string; readonly type: string; readonly port: ActionPort | undefined },
  openAt: (type: KnownPortType, path: string) => Promise<Content>,
) {
  const { name, type, port } = output;
  if (port === undefined) return undefined;
  if (!type.endsWith('[part]')) return openAt(knownType(type), pathOf(name, port));
  const contents: [string, Content][] = [];
  for (const [part, path] of Object.entries('parts' in port ? port.parts : {})) {
    contents.push([part, await openAt(knownType(type), path)]);
  }
  return Object.fromEntries(contents);
}

const knownType = (type: string): KnownPortType => type.replace(/\?$|\[part\]$/, '') as KnownPortType; // InputTypes and OutputTypes allow only these endings

function pathOf(name: string, port: ActionPort): string {
  if ('path' in port) return port.path;
  throw new Error(`Port ${name} takes one content, and was given parts`);
}

/**
 * Input port -> the type its content is read as. A trailing `?` marks an optional port; `port.*` is all inputs that a map of
 * names binds to the port, by their names.
 */
export type InputTypes = Readonly<Record<string, KnownPortType | `${KnownPortType}?`>>;

/**
 * Output port -> the type of its content. A trailing `?` marks an output that the configuration may leave out, `[part]`
 * one whose parts the stage itself makes, as split does.
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

/**
 * What all parts of the input need, such as a model: opened the first time that a name is asked for, and disposed of when
 * the action ends.
 */
export type Once = <Opened extends { readonly dispose: () => void }>(
  name: string,
  open: () => Promise<Opened>,
) => Promise<Opened>;

/** What a stage's code gets: its configuration, and its ports as typed content instead of paths. */
export interface StageRun<Config, Inputs extends InputTypes, Outputs extends OutputTypes> {
  readonly config: Config;
  readonly inputs: {
    readonly [Port in keyof Inputs]: Port extends `${string}.*`
      ? ReadonlyMap<string, InputContent<Inputs[Port]>>
      : InputContent<Inputs[Port]>;
  };
  readonly outputs: { readonly [Port in keyof Outputs]: OutputContent<Outputs[Port]> };
  /** In a stage that maps parts, the current one; undefined if the input has no parts. */
  readonly part: string | undefined;
  /** A private folder for this key, for resuming after an interruption. */
  readonly statePath: string;
  /** A folder shared by runs that give equal results for equal examples; undefined if nothing is shared. */
  readonly memoPath: string | undefined;
  /** A folder shared by runs that differ only in how far they go. */
  readonly checkpointPath: string | undefined;
  /** The part of the work to do; undefined for all of it. Only a stage that declares `shards` gets one. */
  readonly share: StageAction['share'];
  readonly resources: StageAction['resources'];
  readonly host: StageHost;
  readonly once: Once;
}
