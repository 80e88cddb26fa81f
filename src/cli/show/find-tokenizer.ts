import { type Digest, openContent, type Plan, type Store } from '../../runtime/index.ts';
import { isEncodingName, openEncoding } from '../../text/tokenizer/encoding-tokenizer.ts';
import { openTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';

/** The tokenizer with a vocabulary: an encoding by its name, or one that a stage of the plan has in its outputs. */
export async function findTokenizer(
  vocabulary: string,
  { store, plan }: { store: Store; plan: Plan },
): Promise<Tokenizer | undefined> {
  if (isEncodingName(vocabulary)) return await openEncoding(vocabulary);
  for (const digest of tokenizerDigests(plan)) {
    await using content = await openContent(store, digest);
    const tokenizer = await openTokenizer(content.path).catch(() => undefined);
    if (tokenizer?.vocabulary === vocabulary) return tokenizer;
  }
  return undefined;
}

function tokenizerDigests({ stages }: Plan): readonly Digest[] {
  return [...stages.values()].flatMap(({ node, decision }) => {
    if (decision.kind !== 'reuse') return [];
    return Object.entries(decision.record.outputs).flatMap(([name, content]) => {
      const type = node.ports.outputs[name]?.type;
      return (type === 'tokenizer' || type === 'model') && typeof content === 'string' ? [content] : [];
    });
  });
}
