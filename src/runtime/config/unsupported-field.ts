import type { Checked } from '../diagnostic/checked.ts';
import type { YamlNode } from '../source/yaml-doc.ts';

/** Fields that later releases will know: to say so is kinder than `unknown-field`. */
const later: ReadonlyMap<string, string> = new Map([
  ['extends', 'a pipeline cannot extend another one yet'],
  ['sweep', 'sweeps are not available yet'],
  ['inputs', 'a pipeline cannot be used as a stage yet, so it has no inputs'],
  ['outputs', 'a pipeline cannot be used as a stage yet, so it has no outputs'],
]);

/** The pipeline without such fields, each of them reported. */
export function withoutUnsupportedFields(root: YamlNode): Checked<YamlNode> {
  if (root.kind !== 'map') return { value: root, diagnostics: [] };
  const kept = [...root.entries].filter(([key]) => !later.has(key));
  const diagnostics = [...root.entries]
    .filter(([key]) => later.has(key))
    .map(([key, { keySpan }]) => ({
      code: 'not-supported',
      message: later.get(key) ?? key,
      span: keySpan,
      help:
        key === 'sweep'
          ? 'run it once for each value: `retune run -p name=value`'
          : 'write the stages in this file',
    }));
  return { value: { ...root, entries: new Map(kept) }, diagnostics };
}
