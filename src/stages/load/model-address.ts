/** A scheme has two letters or more: a single letter is a drive. */
const scheme = /^([a-z][a-z0-9+.-]+):/i;

/** The scheme of an address such as `hf:` or `https:`; undefined for a path. */
export const schemeOf = (source: string): string | undefined => scheme.exec(source)?.[1]?.toLowerCase();

/** The name in `openai:<name>`, for a model behind an endpoint. */
export function endpointName(model: string | undefined): string | undefined {
  return model !== undefined && schemeOf(model) === 'openai' ? model.slice('openai:'.length) : undefined;
}
