import protobuf from 'protobufjs/light.js';
import { crc32c, maskedCrc32c } from '../../formats/index.ts';

/** One event of a file that TensorBoard reads. Times are in milliseconds since 1970. */
export type TensorboardEvent =
  /** Begins every file. */
  | { readonly kind: 'version'; readonly time: number }
  /** What earlier files of the folder hold from this step on is void. */
  | { readonly kind: 'restart'; readonly step: number; readonly time: number }
  | {
      readonly kind: 'scalar';
      readonly tag: string;
      readonly step: number;
      readonly value: number;
      readonly time: number;
    }
  /** Markdown. */
  | {
      readonly kind: 'text';
      readonly tag: string;
      readonly step: number;
      readonly text: string;
      readonly time: number;
    }
  | {
      readonly kind: 'hyperparameters';
      readonly values: Readonly<Record<string, string | number | boolean>>;
      readonly group: string;
      readonly time: number;
    }
  | { readonly kind: 'end'; readonly succeeded: boolean; readonly time: number };

/** A record of a file: its length, the event as protobuf, and a checksum of each. */
export function encodeEvent(event: TensorboardEvent): Uint8Array {
  const data = Event.encode(Event.create(messageOf(event))).finish();
  const record = Buffer.alloc(12 + data.length + 4);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc32c(crc32c(record.subarray(0, 8))), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc32c(crc32c(data)), 12 + data.length);
  return record;
}

// The enumerations of TensorBoard's protocol that are used here.
const SCALAR_DATA = 1;
const TENSOR_DATA = 2;
const DT_FLOAT = 1;
const DT_STRING = 7;
const SESSION_START = 1;
const STATUS_SUCCESS = 1;
const STATUS_FAILURE = 2;

function messageOf(event: TensorboardEvent): object {
  const wallTime = event.time / 1000;
  switch (event.kind) {
    case 'version':
      return { wallTime, fileVersion: 'brain.Event:2', sourceMetadata: { writer: 'tuneloom' } };
    case 'restart':
      return { wallTime, step: event.step, sessionLog: { status: SESSION_START } };
    case 'scalar': {
      const { tag, step, value } = event;
      const metadata = { pluginData: { pluginName: 'scalars' }, dataClass: SCALAR_DATA };
      return { wallTime, step, summary: { value: [{ tag, simpleValue: value, metadata }] } };
    }
    case 'text': {
      const { tag, step, text } = event;
      const metadata = { pluginData: { pluginName: 'text' }, dataClass: TENSOR_DATA };
      const tensor = { dtype: DT_STRING, tensorShape: { dim: [] }, stringVal: [Buffer.from(text)] };
      return { wallTime, step, summary: { value: [{ tag, tensor, metadata }] } };
    }
    case 'hyperparameters': {
      const hparams = Object.entries(event.values).map(([key, value]) => ({
        key,
        value: protobufValue(value),
      }));
      const sessionStartInfo = { hparams, groupName: event.group, startTimeSecs: wallTime };
      return pluginEvent(wallTime, '_hparams_/session_start_info', { sessionStartInfo });
    }
    case 'end': {
      const status = event.succeeded ? STATUS_SUCCESS : STATUS_FAILURE;
      return pluginEvent(wallTime, '_hparams_/session_end_info', {
        sessionEndInfo: { status, endTimeSecs: wallTime },
      });
    }
    default:
      return event satisfies never;
  }
}

const protobufValue = (value: string | number | boolean): object =>
  typeof value === 'string'
    ? { stringValue: value }
    : typeof value === 'number'
      ? { numberValue: value }
      : { boolValue: value };

/** The plugin for hyperparameters keeps its messages in the metadata of a tensor without content. */
function pluginEvent(wallTime: number, tag: string, message: object): object {
  const content = PluginData.encode(PluginData.fromObject(message)).finish();
  const tensor = { dtype: DT_FLOAT, tensorShape: { dim: [{}] } };
  const metadata = { pluginData: { pluginName: 'hparams', content } };
  return { wallTime, summary: { value: [{ tag, tensor, metadata }] } };
}

type Fields = Readonly<Record<string, readonly [id: number, type: string, rule?: 'repeated']>>;

const message = (fields: Fields) => ({
  fields: Object.fromEntries(
    Object.entries(fields).map(([name, [id, type, rule]]) => [name, { id, type, ...(rule ? { rule } : {}) }]),
  ),
});

/** From event.proto, summary.proto and tensor.proto of TensorBoard, without what is not written. */
const root = protobuf.Root.fromJSON({
  nested: {
    Event: message({
      wallTime: [1, 'double'],
      step: [2, 'int64'],
      fileVersion: [3, 'string'],
      summary: [5, 'Summary'],
      sessionLog: [7, 'SessionLog'],
      sourceMetadata: [10, 'SourceMetadata'],
    }),
    SessionLog: message({ status: [1, 'int32'] }),
    SourceMetadata: message({ writer: [1, 'string'] }),
    Summary: message({ value: [1, 'SummaryValue', 'repeated'] }),
    SummaryValue: {
      ...message({
        tag: [1, 'string'],
        simpleValue: [2, 'float'],
        tensor: [8, 'Tensor'],
        metadata: [9, 'Metadata'],
      }),
      // Without it, a figure of 0 would be left out as the default.
      oneofs: { value: { oneof: ['simpleValue', 'tensor'] } },
    },
    Metadata: message({ pluginData: [1, 'Plugin'], dataClass: [4, 'int32'] }),
    Plugin: message({ pluginName: [1, 'string'], content: [2, 'bytes'] }),
    Tensor: message({ dtype: [1, 'int32'], tensorShape: [2, 'Shape'], stringVal: [8, 'bytes', 'repeated'] }),
    Shape: message({ dim: [2, 'Dimension', 'repeated'] }),
    Dimension: message({ size: [1, 'int64'] }),
    // plugin_data.proto of the plugin for hyperparameters.
    PluginData: message({ sessionStartInfo: [3, 'SessionStart'], sessionEndInfo: [4, 'SessionEnd'] }),
    SessionStart: message({
      hparams: [1, 'Hyperparameter', 'repeated'],
      groupName: [4, 'string'],
      startTimeSecs: [5, 'double'],
    }),
    // The entry of a map.
    Hyperparameter: message({ key: [1, 'string'], value: [2, 'Value'] }),
    SessionEnd: message({ status: [1, 'int32'], endTimeSecs: [2, 'double'] }),
    // google.protobuf.Value; one of these.
    Value: {
      ...message({ numberValue: [2, 'double'], stringValue: [3, 'string'], boolValue: [4, 'bool'] }),
      oneofs: { kind: { oneof: ['numberValue', 'stringValue', 'boolValue'] } },
    },
  },
});
const Event = root.lookupType('Event');
const PluginData = root.lookupType('PluginData');
