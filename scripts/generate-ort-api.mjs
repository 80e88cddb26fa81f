// Writes src/tensor/onnx/native/ort-api-indices.ts: the index of each function that the native runner calls in the table of
// ONNX Runtime's C API. Run it by hand, with a header that is not newer than the pinned onnxruntime-node (the table only
// grows, so an older header's indices stay valid, and its version is requested from the library). For onnxruntime-node 1.30
// the header of version 29 was used: all indices are the same in version 30.
// node scripts/generate-ort-api.mjs path/to/onnxruntime_c_api.h && npx biome check --write src/tensor/onnx/native
import { readFileSync, writeFileSync } from 'node:fs';

const [header] = process.argv.slice(2);
if (header === undefined)
  throw new Error('Name the header: include/onnxruntime/core/session/onnxruntime_c_api.h');
const target = 'src/tensor/onnx/native/ort-api-indices.ts';
const signatures = readFileSync('src/tensor/onnx/native/ort-signatures.ts', 'utf8');
const called = [...signatures.matchAll(/^ {2}([A-Z]\w+): \[/gm)].map(([, name]) => name);

const text = readFileSync(header, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
const [, version] = /#define ORT_API_VERSION (\d+)/.exec(text) ?? [];
const [, table] = /^struct OrtApi \{([\s\S]*?)^\};/m.exec(text) ?? [];
if (version === undefined || table === undefined) throw new Error(`${header} declares no OrtApi`);

// A member is declared by one of two macros or as a function pointer.
const member = /ORT_API2_STATUS\(\s*(\w+)|ORT_CLASS_RELEASE\(\s*(\w+)\)|\(\s*ORT_API_CALL\s*\*\s*(\w+)\s*\)/g;
const names = [...table.matchAll(member)].map(
  ([, status, released, plain]) => status ?? (released ? `Release${released}` : plain),
);
const lines = called.map((name) => {
  const index = names.indexOf(name);
  if (index === -1 || names.lastIndexOf(name) !== index)
    throw new Error(`${header} does not declare ${name} once`);
  return `  ${name}: ${index},`;
});
writeFileSync(
  target,
  `// Generated from onnxruntime_c_api.h by scripts/generate-ort-api.mjs.\n\n/** The version of the table, which the library is asked for. */\nexport const ORT_API_VERSION = ${version};\n\n/** Places in the table. */\nexport const ortApiIndices = {\n${lines.join('\n')}\n} as const;\n`,
);
