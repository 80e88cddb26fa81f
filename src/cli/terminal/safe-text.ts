/** Control and invisible formatting characters and lone surrogates, but not line feed, tab and the joiners of scripts and emoji. */
const UNSAFE = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text from data and models, made harmless: what a terminal would obey is shown as an escape. */
export function safeText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSAFE, escaped);
}

/** The same on one line: line breaks and tabs are shown too. */
export function safeLine(text: string): string {
  return safeText(text).replaceAll('\n', '⏎').replaceAll('\t', '⇥');
}

/** An error that its user can fix, and what to do about it. */
export const errorText = ({ message, help }: { message: string; help: string | undefined }): string =>
  safeText(`error: ${message}${help ? `\n  help: ${help}` : ''}`);

/** Like safeText, with JSON's escapes: JSON stays the same JSON. */
export const escapeUnsafe = (text: string): string =>
  text.replace(UNSAFE, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
