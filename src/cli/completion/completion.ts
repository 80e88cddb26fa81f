import type { CommandCall } from '../commands/command-declaration.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { candidatesFor } from './candidates.ts';

/** `tuneloom completion`: prints a script for a shell, which asks `tuneloom completion candidates` at each Tab. */
export async function completionCommand({ words, context }: CommandCall<object>): Promise<ExitCode> {
  const [word = '', ...typed] = words;
  const { terminal } = context;
  if (word === 'candidates') {
    // A Tab never ends in an error message.
    const candidates = await candidatesFor(typed, context).catch(() => []);
    const lines = candidates.map(({ value, description = '' }) => `${value}\t${description}`);
    if (lines.length > 0) terminal.write(`${lines.join('\n')}\n`);
    return exitCode.success;
  }
  const script = Object.hasOwn(scripts, word) ? scripts[word] : undefined;
  if (script === undefined)
    throw new UsageError({
      message: word === '' ? 'the shell is missing' : `there is no completion for \`${word}\``,
      help: `name one of ${Object.keys(scripts).join(', ')}`,
    });
  terminal.print(script);
  return exitCode.success;
}

// A line is a candidate, a tab and its description; `:files` asks for the names of files. Bash splits words at `=` too, and
// replaces only what follows the last one.
const bash = `_tuneloom() {
  local line=\${COMP_LINE:0:COMP_POINT} kept="" words current value
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]}-1]}
  [[ $COMP_WORDBREAKS == *=* && $current == *=* ]] && kept=\${current%=*}=
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("\${value#"$kept"}")
    fi
  done < <("\${words[0]}" completion candidates -- "\${words[@]:1}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _tuneloom tuneloom`;

const zsh = `#compdef tuneloom
_tuneloom() {
  local value description
  local -a whole open
  while IFS=$'\\t' read -r value description; do
    if [[ $value == :files ]]; then
      _files
    elif [[ $value == *= ]]; then
      open+=("\${value//:/\\\\:}:$description")
    else
      whole+=("\${value//:/\\\\:}:$description")
    fi
  done < <("\${words[1]}" completion candidates -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#whole )) && _describe tuneloom whole
  (( $#open )) && _describe tuneloom open -S ''
}
if [[ \${funcstack[1]} == _tuneloom ]]; then _tuneloom "$@"; else compdef _tuneloom tuneloom; fi`;

const fish = `function __tuneloom
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] completion candidates -- $words[2..] "$current" 2>/dev/null)
        if string match -q ':files*' -- $line
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c tuneloom -f -a '(__tuneloom)'`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };
