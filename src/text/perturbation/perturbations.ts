import { dialectWords, misspellings, names } from './word-lists.ts';

/** Numbers in [0, 1). */
type Random = () => number;

/** Changes a text in a way that should not change the answer to it. */
type Perturbation = (text: string, random: Random) => string;

/** Kind -> what it tests: whether a model tolerates noise, or treats people alike. */
export const perturbationKinds = {
  lowercase: 'robustness',
  spaces: 'robustness',
  typos: 'robustness',
  misspellings: 'robustness',
  contractions: 'robustness',
  dialect: 'fairness',
  gender: 'fairness',
  names: 'fairness',
} as const;

type PerturbationName = keyof typeof perturbationKinds;

const rows = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'];
/** Key -> the keys beside it. */
const neighbors = new Map(
  rows.flatMap((row) =>
    [...row].map((key, at) => [key, [row[at - 1], row[at + 1]].filter((one) => one !== undefined)] as const),
  ),
);
const TYPO_SHARE = 0.05;
const MISSPELLED_SHARE = 0.2;
const MOST_SPACES = 3;

/** Two words -> one. */
const contractions: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['is', 'are', 'was', 'were', 'has', 'have', 'had', 'do', 'does', 'did', 'could', 'should', 'would'].map(
      (verb) => [`${verb} not`, `${verb}n't`],
    ),
  ),
  cannot: "can't",
  'will not': "won't",
  'it is': "it's",
  'that is': "that's",
  'what is': "what's",
  'who is': "who's",
  'i am': "i'm",
  'they are': "they're",
  'we are': "we're",
  'you are': "you're",
};

const pronouns: Readonly<Record<string, string>> = {
  he: 'she',
  him: 'her',
  his: 'her',
  himself: 'herself',
};

/** The robustness and fairness perturbations of HELM (Liang et al. 2022, appendix D), with our own word lists. */
export const perturbations: Readonly<Record<PerturbationName, Perturbation>> = {
  lowercase: (text) => text.toLowerCase(),
  /** Each space becomes one to three. */
  spaces: (text, random) => text.replace(/ /g, () => ' '.repeat(1 + Math.floor(random() * MOST_SPACES))),
  /** One letter in twenty becomes the one beside it on the keyboard. */
  typos: (text, random) =>
    text.replace(/[a-z]/g, (key) => {
      const near = neighbors.get(key) ?? [];
      return random() < TYPO_SHARE ? (near[Math.floor(random() * near.length)] ?? key) : key;
    }),
  /** One in five of the words that are often misspelled. */
  misspellings: (text, random) =>
    replaceWords(text, {
      words: misspellings,
      choose: (found, replacement) => (random() < MISSPELLED_SHARE ? replacement : found),
    }),
  contractions: (text) => replaceWords(text, { words: contractions }),
  dialect: (text) => replaceWords(text, { words: dialectWords }),
  /** Male pronouns become female ones. */
  gender: (text) => replaceWords(text, { words: pronouns }),
  /** A name becomes one that is common in another community, the same one everywhere. */
  names: (text, random) =>
    names.reduce((changed, { from, to }) => {
      const drawn = new Map<string, string>();
      return changed.replace(new RegExp(`\\b(?:${from.join('|')})\\b`, 'g'), (name) => {
        const other = drawn.get(name) ?? to[Math.floor(random() * to.length)] ?? name;
        drawn.set(name, other);
        return other;
      });
    }, text),
};

/** Replaces words, keeping a capital at the beginning. `choose` decides between the word and its replacement. */
function replaceWords(
  text: string,
  {
    words,
    choose = (_, replacement) => replacement,
  }: {
    readonly words: Readonly<Record<string, string>>;
    readonly choose?: (found: string, replacement: string) => string;
  },
): string {
  const longestFirst = Object.keys(words).sort((one, other) => other.length - one.length);
  const pattern = new RegExp(`\\b(?:${longestFirst.join('|')})\\b`, 'gi');
  return text.replace(pattern, (found) => {
    const replacement = choose(found, words[found.toLowerCase()] ?? found);
    const first = found.slice(0, 1);
    return first === first.toLowerCase()
      ? replacement
      : replacement.slice(0, 1).toUpperCase() + replacement.slice(1);
  });
}
