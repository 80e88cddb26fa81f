/** Numbers in [0, 1). */
export type Random = () => number;

/** Changes a text in a way that should not change the answer to it. */
export type Perturbation = (text: string, random: Random) => string;

export type PerturbationName = 'lowercase' | 'spaces' | 'typos' | 'contractions' | 'gender';

const rows = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'];
/** Key -> those beside it. */
const neighbours = new Map(
  rows.flatMap((row) =>
    [...row].map((key, at) => [key, [row[at - 1], row[at + 1]].filter((one) => one !== undefined)] as const),
  ),
);
const TYPO_SHARE = 0.05;
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

/** The robustness and fairness perturbations of HELM (Liang et al. 2022, appendix D) that need no word lists. */
export const perturbations: Readonly<Record<PerturbationName, Perturbation>> = {
  lowercase: (text) => text.toLowerCase(),
  /** Each space becomes one to three. */
  spaces: (text, random) => text.replace(/ /g, () => ' '.repeat(1 + Math.floor(random() * MOST_SPACES))),
  /** One letter in twenty becomes the one beside it on the keyboard. */
  typos: (text, random) =>
    text.replace(/[a-z]/g, (key) => {
      const near = neighbours.get(key) ?? [];
      return random() < TYPO_SHARE ? (near[Math.floor(random() * near.length)] ?? key) : key;
    }),
  contractions: (text) => replaceWords(text, contractions),
  /** Male pronouns become female ones. */
  gender: (text) => replaceWords(text, pronouns),
};

/** A capital at the beginning stays one. */
function replaceWords(text: string, words: Readonly<Record<string, string>>): string {
  const pattern = new RegExp(`\\b(?:${Object.keys(words).join('|')})\\b`, 'gi');
  return text.replace(pattern, (found) => {
    const replacement = words[found.toLowerCase()] ?? found;
    const first = found.slice(0, 1);
    return first === first.toLowerCase()
      ? replacement
      : replacement.slice(0, 1).toUpperCase() + replacement.slice(1);
  });
}
