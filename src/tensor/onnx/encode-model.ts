import protobuf from 'protobufjs/light.js';
import { type GraphPlan, openShape } from './graph/graph-plan.ts';
import {
  type GraphNode,
  type GraphValue,
  hostArrayOf,
  ONNX_TYPE,
  type Operator,
} from './graph/graph-value.ts';

const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 };
// TensorProto.DataLocation in onnx.proto.
const EXTERNAL = 1;
const FLOAT_ATTRIBUTES = new Set(['alpha', 'beta', 'epsilon', 'gamma', 'softcap']);

/**
 * The bytes of the ONNX model that computes a plan's outputs from its inputs. The nodes are listed in
 * reverse: ONNX Runtime starts from the last node whose result no other node uses, and first runs everything that node
 * needs. It then goes through the graph nearly in recording order, computes each weight's gradient as it comes up and frees
 * what it needed; from a list in recording order it would leave all those gradients, and what they need, for the end.
 */
export function encodeModel(plan: GraphPlan): Uint8Array {
  const graph = {
    name: 'pending',
    node: plan.nodes.map(nodeMessage).reverse(),
    initializer: [...plan.constants.map(constantMessage), ...plan.weights.map(weightMessage)],
    input: plan.inputs.map((value) => valueMessage(value, plan)),
    output: plan.outputs.map((value) => valueMessage(value, plan)),
  };
  const { opset, irVersion } = plan.nodes.some(takesBlocks) ? withBlocks : usual;
  const opsetImport = [
    { domain: '', version: opset },
    { domain: 'com.microsoft', version: 1 },
  ];
  return ModelProto.encode(ModelProto.create({ irVersion, opsetImport, graph })).finish();
}

const usual = { opset: 18, irVersion: 8 };
/** The first that has blocks with their own scales, and elements of 4 bits. */
const withBlocks = { opset: 21, irVersion: 10 };

const takesBlocks = ({ operator }: GraphNode): boolean => operator.type === 'DequantizeLinear';

/** The name of a numbered value inside the model. */
export function valueName({ number }: GraphValue): string {
  return `v${number}`;
}

function nodeMessage(node: GraphNode, position: number): object {
  return {
    name: `${node.operator.type}_${position}`,
    opType: node.operator.type,
    domain: node.operator.domain,
    input: node.inputs.map(valueName),
    output: node.outputs.map(valueName),
    attribute: attributeMessages(node.operator),
  };
}

function attributeMessages({ attributes }: Operator): object[] {
  return Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPE.string, s: Buffer.from(value) };
    if (typeof value !== 'number') return { name, type: ATTRIBUTE_TYPE.ints, ints: value };
    if (FLOAT_ATTRIBUTES.has(name)) return { name, type: ATTRIBUTE_TYPE.float, f: value };
    return { name, type: ATTRIBUTE_TYPE.int, i: value };
  });
}

function constantMessage(value: GraphValue): object {
  const { shape, type } = value;
  const data = hostArrayOf(value.data);
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name: valueName(value), dims: shape, dataType: ONNX_TYPE[type], rawData };
}

// Its elements are passed beside the model. The format demands the name of an existing file for them: this one is in the
// engine's package, and is never read.
function weightMessage(value: GraphValue): object {
  const { shape, type } = value;
  const externalData = [{ key: 'location', value: 'package.json' }];
  return {
    name: valueName(value),
    dims: shape,
    dataType: ONNX_TYPE[type],
    externalData,
    dataLocation: EXTERNAL,
  };
}

function valueMessage(value: GraphValue, { isOpen }: GraphPlan): object {
  const shape = isOpen ? openShape(value) : value.shape;
  const dim = shape.map((dimValue) => (dimValue === undefined ? {} : { dimValue }));
  return {
    name: valueName(value),
    type: { tensorType: { elemType: ONNX_TYPE[value.type], shape: { dim } } },
  };
}

// The messages of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto that a graph of tensors needs.
const onnx = protobuf.Root.fromJSON({
  nested: {
    OperatorSetIdProto: { fields: { domain: { type: 'string', id: 1 }, version: { type: 'int64', id: 2 } } },
    Dimension: { fields: { dimValue: { type: 'int64', id: 1 } } },
    TensorShapeProto: { fields: { dim: { rule: 'repeated', type: 'Dimension', id: 1 } } },
    TensorTypeProto: {
      fields: { elemType: { type: 'int32', id: 1 }, shape: { type: 'TensorShapeProto', id: 2 } },
    },
    TypeProto: { fields: { tensorType: { type: 'TensorTypeProto', id: 1 } } },
    ValueInfoProto: { fields: { name: { type: 'string', id: 1 }, type: { type: 'TypeProto', id: 2 } } },
    StringStringEntryProto: { fields: { key: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } },
    TensorProto: {
      fields: {
        dims: { rule: 'repeated', type: 'int64', id: 1 },
        dataType: { type: 'int32', id: 2 },
        name: { type: 'string', id: 8 },
        rawData: { type: 'bytes', id: 9 },
        externalData: { rule: 'repeated', type: 'StringStringEntryProto', id: 13 },
        dataLocation: { type: 'int32', id: 14 },
      },
    },
    AttributeProto: {
      fields: {
        name: { type: 'string', id: 1 },
        f: { type: 'float', id: 2 },
        i: { type: 'int64', id: 3 },
        s: { type: 'bytes', id: 4 },
        ints: { rule: 'repeated', type: 'int64', id: 8 },
        type: { type: 'int32', id: 20 },
      },
    },
    NodeProto: {
      fields: {
        input: { rule: 'repeated', type: 'string', id: 1 },
        output: { rule: 'repeated', type: 'string', id: 2 },
        name: { type: 'string', id: 3 },
        opType: { type: 'string', id: 4 },
        attribute: { rule: 'repeated', type: 'AttributeProto', id: 5 },
        domain: { type: 'string', id: 7 },
      },
    },
    GraphProto: {
      fields: {
        node: { rule: 'repeated', type: 'NodeProto', id: 1 },
        name: { type: 'string', id: 2 },
        initializer: { rule: 'repeated', type: 'TensorProto', id: 5 },
        input: { rule: 'repeated', type: 'ValueInfoProto', id: 11 },
        output: { rule: 'repeated', type: 'ValueInfoProto', id: 12 },
      },
    },
    ModelProto: {
      fields: {
        irVersion: { type: 'int64', id: 1 },
        graph: { type: 'GraphProto', id: 7 },
        opsetImport: { rule: 'repeated', type: 'OperatorSetIdProto', id: 8 },
      },
    },
  },
});

/** A whole ONNX model: encodes the plain object that `encodeModel` builds. */
const ModelProto = onnx.lookupType('ModelProto');
