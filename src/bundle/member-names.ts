/** The longest name of a file that every file system takes, in bytes, and the deepest path. */
const longestName = 143;
const mostLevels = 32;

/** Names that Windows keeps for devices, with any extension. */
const device = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** Folders in which other programs look for what to run. */
const programs = new Set(['.git', '.hg', '.svn']);

/** Why a file of an archive cannot be unpacked under its name, as half a sentence; undefined if it can. */
export function nameProblem(path: string): string | undefined {
  if (path.startsWith('/') || /^[a-z]:/i.test(path)) return 'is an absolute path';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are refused.
  if (/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd\\:*?"<>|]/.test(path))
    return 'has a character that file names should not have';
  const names = path.split('/');
  if (names.length > mostLevels) return `has more than ${mostLevels} levels`;
  for (const name of names) {
    if (name === '..') return 'leads out of its folder';
    if (name === '' || name === '.') return 'has an empty name in it';
    if (Buffer.byteLength(name) > longestName) return `has a name of more than ${longestName} bytes`;
    if (/[. ]$/.test(name) || name.startsWith(' ')) return 'has a name that ends in a dot or a space';
    if (device.test(name)) return 'has a name that is a device on Windows';
    if (programs.has(name.toLowerCase())) return 'is in a folder of version control, which may hold programs';
  }
  return undefined;
}

/** The same for all names that one file system or another holds to be equal: case, and the form of accents. */
const folded = (path: string): string => path.normalize('NFKC').toLowerCase();

/** Two paths that cannot both be unpacked, since they are equal or one is a folder of the other. */
export function findClash(paths: readonly string[]): readonly [string, string] | undefined {
  const seen = new Map<string, string>();
  for (const path of paths) {
    const before = seen.get(folded(path));
    if (before !== undefined) return [before, path];
    seen.set(folded(path), path);
  }
  for (const path of paths) {
    const key = folded(path);
    for (let slash = key.indexOf('/'); slash !== -1; slash = key.indexOf('/', slash + 1)) {
      const file = seen.get(key.slice(0, slash));
      if (file !== undefined) return [file, path];
    }
  }
  // `A/x` and `a/y` would be one folder on some systems.
  const folders = new Map<string, string>();
  for (const path of paths) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const folder = path.slice(0, slash);
      const before = folders.get(folded(folder)) ?? folder;
      if (before !== folder) return [before, folder];
      folders.set(folded(folder), folder);
    }
  }
  return undefined;
}
