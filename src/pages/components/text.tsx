import type { ComponentChildren } from 'preact';

/** Control and invisible formatting characters and lone surrogates, but not line feed, tab and the joiners of scripts and emoji. */
const UNSAFE = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Text from data or a model: it stays text, keeps its lines, cannot reorder what stands around it, and shows invisible
 * characters as their code. `find` is marked wherever it occurs, in either case.
 */
export function DataText({ text, find = '' }: { readonly text: string; readonly find?: string }) {
  if (text === '') return <span class="text soft">(nothing)</span>;
  return (
    <span class="text" dir="auto">
      {piecesOf(text, find)}
    </span>
  );
}

function piecesOf(text: string, find: string): ComponentChildren {
  if (find === '') return escaped(text);
  const [whole, wanted] = [text.toLowerCase(), find.toLowerCase()];
  // Lowercase may be longer than the text, as that of İ is: then places in it are not places in the text.
  if (whole.length !== text.length) return escaped(text);
  const pieces: ComponentChildren[] = [];
  let start = 0;
  for (let at = whole.indexOf(wanted); at >= 0; at = whole.indexOf(wanted, start)) {
    pieces.push(escaped(text.slice(start, at)));
    start = at + wanted.length;
    pieces.push(<mark key={at}>{escaped(text.slice(at, start))}</mark>);
  }
  return [...pieces, escaped(text.slice(start))];
}

function escaped(text: string): ComponentChildren {
  if (!UNSAFE.test(text)) return text;
  return text.split(new RegExp(`(${UNSAFE.source})`, 'u')).map((piece, index) =>
    UNSAFE.test(piece) ? (
      <span class="escape" key={index}>
        {`U+${(piece.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`}
      </span>
    ) : (
      piece
    ),
  );
}

/** A long text with its beginning, and the rest on demand. */
export function LongText({ text, find = '' }: { readonly text: string; readonly find?: string }) {
  if (text.length <= SHOWN || find !== '') return <DataText text={text} find={find} />;
  return (
    <details>
      <summary>
        <DataText text={`${text.slice(0, SHOWN)}…`} />{' '}
        <span class="soft small">{text.length} characters</span>
      </summary>
      <DataText text={text} />
    </details>
  );
}

const SHOWN = 1500;
