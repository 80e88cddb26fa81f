import { UserError } from '../../core/index.ts';
import type { Segment } from '../records.ts';
import { jinjaTemplate } from './jinja-template.ts';
import type { Template } from './template.ts';

type Sources = Parameters<typeof jinjaTemplate>[0];

/** What a special token of some tokenizer can look like: `<|im_end|>`, `</s>`, `[INST]`. */
const likeNames = /<[^<>\s{}]{1,60}>|\[\/?[A-Z][A-Z_]+\]/g;

/**
 * A template from Jinja sources that writes what may be a special token in its sources as segments of its own. The same
 * text in a row stays text: to tell them apart, the sources are rendered with other first characters in their names.
 */
export function namedTokensTemplate({ prompt, header, response }: Sources): Template {
  const sources = { prompt, header, response };
  const template = jinjaTemplate(sources);
  const text = Object.values(sources).join('\n');
  const names = [...new Set(text.match(likeNames) ?? [])];
  if (names.length === 0) return template;
  const masked = new Map<string, Template>();
  const maskedTemplate = (mask: Mask, hidden: readonly string[]): Template => {
    const key = JSON.stringify([mask.characters, hidden]);
    const found = masked.get(key) ?? jinjaTemplate(mapValues(sources, (source) => mask.hide(source, hidden)));
    masked.set(key, found);
    return found;
  };
  return (row) => {
    const plain = template(row);
    const mask = maskOf(names, text + JSON.stringify(row));
    const attempt = (hidden: readonly string[]): readonly Segment[] | undefined => {
      const written = resultOf(() => maskedTemplate(mask, hidden)(row));
      const isSame =
        written?.length === plain.length &&
        written.every(({ text }, index) => mask.show(text) === plain[index]?.text);
      return isSame ? written : undefined;
    };
    // A template may look for such a text in the row, as `replace('<br>', ' ')` does, or mean something else by it, as
    // `{% if a<b>c %}` does: then it stays as it is.
    const written = attempt(names) ?? attempt(names.filter((name) => attempt([name]) !== undefined)) ?? plain;
    return written.flatMap((segment) => pieces(segment, mask));
  };
}

function resultOf<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function pieces({ role, text }: Segment, mask: Mask): readonly Segment[] {
  const found: Segment[] = [];
  let done = 0;
  const addText = (end: number): void => {
    if (end > done) found.push({ role, text: text.slice(done, end) });
    done = end;
  };
  for (const { 0: name, index } of text.matchAll(mask.names)) {
    addText(index);
    found.push({ role, text: mask.show(name), special: 'perhaps' });
    done = index + name.length;
  }
  addText(text.length);
  return found;
}

interface Mask {
  readonly characters: readonly string[];
  /** Matches a hidden name. */
  readonly names: RegExp;
  /** The text with other first characters in these names. Lengths stay as they are. */
  readonly hide: (text: string, names: readonly string[]) => string;
  readonly show: (text: string) => string;
}

/** Masks with characters that do not occur in `text`. */
function maskOf(names: readonly string[], text: string): Mask {
  const firsts = [...new Set(names.map((name) => name.charAt(0)))];
  const characters = freeCharacters(text, firsts.length);
  const hidden = (name: string) => (characters[firsts.indexOf(name.charAt(0))] ?? '') + name.slice(1);
  return {
    characters,
    names: anyOf(names.map(hidden)),
    hide: (text, chosen) => (chosen.length === 0 ? text : text.replace(anyOf(chosen), hidden)),
    show: (text) =>
      characters.reduce((done, mask, index) => done.replaceAll(mask, firsts[index] ?? ''), text),
  };
}

/** Matches the longest of the names. */
const anyOf = (names: readonly string[]): RegExp =>
  new RegExp(
    names
      .toSorted((a, b) => b.length - a.length)
      .map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
      .join('|'),
    'g',
  );

const [firstPrivate, lastPrivate] = [0xe000, 0xf8ff];

function freeCharacters(text: string, count: number): readonly string[] {
  const free: string[] = [];
  for (let code = firstPrivate; code <= lastPrivate && free.length < count; code++) {
    const character = String.fromCharCode(code);
    if (!text.includes(character)) free.push(character);
  }
  if (free.length === count) return free;
  throw new Error('One row contains every private-use character');
}

const mapValues = ({ prompt, header, response }: Sources, change: (source: string) => string): Sources => ({
  prompt: change(prompt),
  header: change(header),
  response: change(response),
});
