/** The steps of a provisioning: each a shell script that may be run again, and a sentence of what it is for. */
import { KitError } from '@sim2servo/models/error';
import { quoted } from './target-shell.js';

export interface Step {
  readonly name: string;
  readonly words: string;
  /** Run with {@link prelude} before it. */
  readonly script: string;
  /** Changes the machine itself, not only files: left out where the root is a folder. */
  readonly system?: true;
  /** Reads the runtime's archive. */
  readonly archive?: true;
}

/**
 * What every script begins with.
 *
 * `put PATH MODE`: the file at PATH is what comes in, written aside and renamed, and left alone where it is the same. `keep` does so only
 * where there is none. What is in a group's hands belongs to ours, where this is a machine of its own.
 */
export function prelude(root: string, system: boolean): string {
  return `set -eu
umask 022
ROOT=${quoted(root === '/' ? '' : root)}
SYSTEM=${system ? 'yes' : 'no'}
own() { if [ $SYSTEM = yes ]; then chown "$@"; fi; }
put() {
  mkdir -p "$(dirname "$ROOT$1")"
  new="$ROOT$1.new"
  cat > "$new"
  chmod "$2" "$new"
  own "root:\${3:-root}" "$new"
  if cmp -s "$new" "$ROOT$1"; then rm "$new"; else mv -f "$new" "$ROOT$1"; echo "wrote $1"; fi
}
keep() {
  if [ ! -e "$ROOT$1" ]; then put "$@"; return; fi
  new="$ROOT$1.new"
  cat > "$new"
  if ! cmp -s "$new" "$ROOT$1"; then echo "kept $1, which differs from yours"; fi
  rm "$new"
}
`;
}

const endOfFile = 'END-OF-FILE';

/** Lines of a step that write a text file. @throws KitError E_PROVISION_FILE */
export function putFile(
  path: string,
  content: string,
  options: { mode?: string; group?: string; keep?: boolean } = {},
): string {
  const { mode = '644', group, keep = false } = options;
  if (content.includes(`\n${endOfFile}\n`))
    throw new KitError('E_PROVISION_FILE', `${path} holds a line '${endOfFile}'`, 'remove that line from it', 'usage');
  const text = content.endsWith('\n') ? content : `${content}\n`;
  return `${keep ? 'keep' : 'put'} ${path} ${mode}${group === undefined ? '' : ` ${group}`} <<'${endOfFile}'\n${text}${endOfFile}\n`;
}
