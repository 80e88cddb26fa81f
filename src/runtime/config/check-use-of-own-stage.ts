import { dirname, resolve } from 'node:path';
import type { Checked } from '../diagnostic/checked.ts';
import type { DocumentReader } from '../source/document-reader.ts';
import { textOf } from '../source/yaml-at.ts';
import type { YamlNode } from '../source/yaml-doc.ts';
import { checkOwnStage } from './check-own-stage.ts';
import { checkStage, type WrittenStage } from './check-stage.ts';
import type { PipelineStage } from './valid-pipeline.ts';
import { writtenBindings } from './written-bindings.ts';

/** Checks a stage that is one of the user's own: its folder is relative to the file that names it. */
export async function checkUseOfOwnStage(
  use: WrittenStage & { readonly uses: YamlNode; readonly reader: DocumentReader },
): Promise<Checked<PipelineStage>> {
  const { id, entry, uses } = use;
  const name = textOf(uses) ?? '';
  const own = await checkOwnStage(resolve(dirname(uses.span.file.path), name), use);
  if (own.value !== undefined) {
    const { definition, declaredAt } = own.value;
    return checkStage({ id, entry, registry: new Map([[name, definition]]), declaredAt });
  }
  const stage = { id, idSpan: entry.keySpan, ...writtenBindings(entry.value), setup: undefined };
  return { value: stage, diagnostics: own.diagnostics };
}
