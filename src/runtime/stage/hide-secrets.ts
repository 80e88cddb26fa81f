import { isObject } from '../../core/index.ts';

/** Shorter values, such as a device's number, are not secrets, and hiding them would garble the log. */
const shortestSecret = 6;

/** The texts to hide for values that may be secrets. Each line of a value counts separately, as it may be printed alone. */
export const secretsIn = (values: readonly string[]): readonly string[] =>
  [...new Set(values.flatMap((value) => [value, ...value.split(/[\r\n]+/)]))].filter(
    (text) => text.length >= shortestSecret,
  );

/** The text with `<secret>` wherever it holds one. Secrets that overlap in the text are hidden as one. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  let shown = '';
  let from = 0;
  for (const { start, end } of placesOf(secrets, text)) {
    shown += `${text.slice(from, start)}<secret>`;
    from = end;
  }
  return from === 0 ? text : shown + text.slice(from);
}

/** As hideSecrets for every text in a JSON value, including the names of fields. */
export function hideSecretsIn(value: unknown, secrets: readonly string[]): unknown {
  if (secrets.length === 0) return value;
  if (typeof value === 'string') return hideSecrets(value, secrets);
  if (Array.isArray(value)) return value.map((item) => hideSecretsIn(item, secrets));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [hideSecrets(name, secrets), hideSecretsIn(item, secrets)]),
  );
}

/** Hides secrets in a text that arrives in pieces, and may be cut within a secret. */
export class SecretFilter {
  readonly #secrets: readonly string[];
  readonly #longest: number;
  /** The end of the text so far, which may be the beginning of a secret. */
  #held = '';

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
    this.#longest = Math.max(0, ...secrets.map((secret) => secret.length));
  }

  /** What can be shown by now. */
  push(piece: string): string {
    if (this.#longest === 0) return piece;
    const text = this.#held + piece;
    const cut = this.#cutIn(text);
    this.#held = text.slice(cut);
    return hideSecrets(text.slice(0, cut), this.#secrets);
  }

  /** What is left at the end of the text. */
  end(): string {
    const text = hideSecrets(this.#held, this.#secrets);
    this.#held = '';
    return text;
  }

  /** Everything before it can be shown: no secret begins before it and ends after it. */
  #cutIn(text: string): number {
    let cut = Math.max(0, text.length - this.#longest + 1);
    while (cut < text.length && !this.#secrets.some((secret) => secret.startsWith(text.slice(cut)))) cut += 1;
    const across = placesOf(this.#secrets, text).find(({ start, end }) => start < cut && cut < end);
    return across?.start ?? cut;
  }
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** The places of a text that secrets cover, in order and without overlaps. */
function placesOf(secrets: readonly string[], text: string): readonly Place[] {
  const found: Place[] = [];
  for (const secret of secrets)
    for (let start = text.indexOf(secret); start !== -1; start = text.indexOf(secret, start + 1))
      found.push({ start, end: start + secret.length });
  const places: Place[] = [];
  for (const place of found.sort((a, b) => a.start - b.start)) {
    const last = places.at(-1);
    if (last === undefined || last.end <= place.start) places.push(place);
    else places.splice(-1, 1, { start: last.start, end: Math.max(last.end, place.end) });
  }
  return places;
}
