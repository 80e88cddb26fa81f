import type { Json, JsonObject } from '../../json.ts';
import type { InputPort, OutputPort, StagePorts } from '../stage/stage-definition.ts';

/** The ports that a valid stage.yaml declares, by name, because the order of a map means nothing. */
export const ownPorts = ({
  inputs,
  outputs,
}: {
  readonly inputs: JsonObject;
  readonly outputs: JsonObject;
}): StagePorts => ({
  inputs: portsOf(inputs, inputPort),
  outputs: portsOf(outputs, outputPort),
});

const everyType = ['batches', 'history', 'model', 'records', 'responses', 'scores', 'tokenizer', 'tokens'];

function portsOf<Port>(declared: JsonObject, portOf: (fields: JsonObject) => Port) {
  const sorted = Object.entries(declared).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, port]) => [name, portOf(fieldsOf(port))]));
}

/** `records` is short for `{ type: records }`. */
const fieldsOf = (port: Json): JsonObject =>
  typeof port === 'object' && port !== null && !Array.isArray(port) ? (port as JsonObject) : { type: port };

const inputPort = ({ type, required, parts }: JsonObject): InputPort => ({
  accepts: type === 'file' ? ['file', ...everyType] : [String(type)],
  required: required !== false,
  parts: parts === 'each' ? 'each' : 'one',
});

const outputPort = ({ type, parts }: JsonObject): OutputPort => ({
  type: String(type),
  ...(Array.isArray(parts) && { parts: parts.map(String) }),
});
