/**
 * The stem of a lowercase English word by Porter's algorithm (1980) with the extensions of NLTK, whose stems rouge-score
 * compares: the first rule of a step whose suffix the word has is the only one that is tried.
 */
export function porterStem(word: string): string {
  const irregular = irregularStems[word];
  if (irregular !== undefined && Object.hasOwn(irregularStems, word)) return irregular;
  if (word.length <= 2) return word;
  return steps.reduce((stem, step) => step(stem), word);
}

/** NLTK's. */
const irregularStems: Readonly<Record<string, string>> = {
  ...{ sky: 'sky', skies: 'sky', dying: 'die', lying: 'lie', tying: 'tie', news: 'news' },
  ...{ innings: 'inning', inning: 'inning', outings: 'outing', outing: 'outing' },
  ...{ cannings: 'canning', canning: 'canning', howe: 'howe' },
  ...{ proceed: 'proceed', exceed: 'exceed', succeed: 'succeed' },
};

/** A suffix, what replaces it, and whether it is replaced after a stem. */
type Rule = readonly [suffix: string, replacement: string, fits?: (stem: string) => boolean];

function applyFirst(word: string, rules: readonly Rule[]): string {
  const rule = rules.find(([suffix]) => word.endsWith(suffix));
  if (rule === undefined) return word;
  const [suffix, replacement, fits = () => true] = rule;
  const stem = word.slice(0, word.length - suffix.length);
  return fits(stem) ? stem + replacement : word;
}

/** A y is a consonant at the beginning and after a vowel. */
function isConsonant(word: string, index: number): boolean {
  const letter = word[index] ?? '';
  if ('aeiou'.includes(letter)) return false;
  return letter !== 'y' || index === 0 || !isConsonant(word, index - 1);
}

const kinds = (word: string): string =>
  Array.from(word, (_, index) => (isConsonant(word, index) ? 'c' : 'v')).join('');

/** How often a consonant follows a vowel: Porter's m. */
const measure = (stem: string): number => kinds(stem).match(/vc/g)?.length ?? 0;

const isMeasured = (stem: string): boolean => measure(stem) > 0;
const isLong = (stem: string): boolean => measure(stem) > 1;
const hasVowel = (stem: string): boolean => kinds(stem).includes('v');
const endsDouble = (word: string): boolean =>
  word.length >= 2 && word.at(-1) === word.at(-2) && isConsonant(word, word.length - 1);

/** Consonant, vowel, and a consonant other than w, x and y; or a whole word of a vowel and a consonant. */
const endsShort = (word: string): boolean =>
  (kinds(word).endsWith('cvc') && !'wxy'.includes(word.at(-1) ?? '')) || kinds(word) === 'vc';

const plural = (word: string): string =>
  word.length === 4 && word.endsWith('ies')
    ? word.slice(0, -1)
    : applyFirst(word, [
        ['sses', 'ss'],
        ['ies', 'i'],
        ['ss', 'ss'],
        ['s', ''],
      ]);

function pastOrParticiple(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('eed')) return applyFirst(word, [['eed', 'ee', isMeasured]]);
  const suffix = ['ed', 'ing'].find((end) => word.endsWith(end) && hasVowel(word.slice(0, -end.length)));
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  const restored = ['at', 'bl', 'iz'].find((end) => stem.endsWith(end));
  if (restored !== undefined) return `${stem}e`;
  if (endsDouble(stem)) return 'lsz'.includes(stem.at(-1) ?? '') ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

const finalY = (word: string): string =>
  applyFirst(word, [['y', 'i', (stem) => stem.length > 1 && isConsonant(stem, stem.length - 1)]]);

const measured = (rules: Readonly<Record<string, string>>): readonly Rule[] =>
  Object.entries(rules).map(([suffix, replacement]) => [suffix, replacement, isMeasured]);

const doubleSuffixRules: readonly Rule[] = [
  ...measured({
    ...{ ational: 'ate', tional: 'tion', enci: 'ence', anci: 'ance', izer: 'ize', bli: 'ble', alli: 'al' },
    ...{ entli: 'ent', eli: 'e', ousli: 'ous', ization: 'ize', ation: 'ate', ator: 'ate', alism: 'al' },
    ...{ iveness: 'ive', fulness: 'ful', ousness: 'ous', aliti: 'al', iviti: 'ive', biliti: 'ble' },
    fulli: 'ful',
  }),
  // The l counts to the stem, so that `geology` loses its ending too.
  ['logi', 'log', (stem) => isMeasured(`${stem}l`)],
];

function doubleSuffix(word: string): string {
  if (word.endsWith('alli') && isMeasured(word.slice(0, -4))) return doubleSuffix(word.slice(0, -2));
  return applyFirst(word, doubleSuffixRules);
}

const adjectiveRules = measured({
  ...{ icate: 'ic', ative: '', alize: 'al', iciti: 'ic', ical: 'ic', ful: '', ness: '' },
});

const lastSuffixRules: readonly Rule[] = [
  ...['al', 'ance', 'ence', 'er', 'ic', 'able', 'ible', 'ant', 'ement', 'ment', 'ent'].map(
    (suffix): Rule => [suffix, '', isLong],
  ),
  ['ion', '', (stem) => isLong(stem) && 'st'.includes(stem.at(-1) ?? '')],
  ...['ou', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize'].map((suffix): Rule => [suffix, '', isLong]),
];

function finalE(word: string): string {
  if (!word.endsWith('e')) return word;
  const stem = word.slice(0, -1);
  return isLong(stem) || (measure(stem) === 1 && !endsShort(stem)) ? stem : word;
}

const finalDoubleL = (word: string): string =>
  word.endsWith('ll') && isLong(word.slice(0, -1)) ? word.slice(0, -1) : word;

const steps: readonly ((word: string) => string)[] = [
  plural,
  pastOrParticiple,
  finalY,
  doubleSuffix,
  (word) => applyFirst(word, adjectiveRules),
  (word) => applyFirst(word, lastSuffixRules),
  finalE,
  finalDoubleL,
];
