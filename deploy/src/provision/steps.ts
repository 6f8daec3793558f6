/** The steps of a provisioning: each a shell script that may be run again, and a sentence of what it is for. */
import { KitError } from '@sim2servo/models/error';
import { unitNames } from './service-files.js';
import { quoted, refusedExit } from './target-shell.js';

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
 * `put PATH MODE`: the file at PATH is what comes in, written aside and renamed, and left alone where it is the same. Nobody but its owner
 * reads it meanwhile, and no link that somebody has put there is followed. `keep` does so only where there is none. `refuse CODE MESSAGE HINT` ends it with that. `resting` does so unless the arm rests. What is in a group's hands belongs to ours, where this is a machine of its own.
 */
export function prelude(root: string, system: boolean): string {
  return `set -eu
umask 022
ROOT=${quoted(root === '/' ? '' : root)}
SYSTEM=${system ? 'yes' : 'no'}
own() { if [ $SYSTEM = yes ]; then chown "$@"; fi; }
aside() { rm -f "$1"; (umask 077; set -C; cat > "$1"); }
put() {
  mkdir -p "$(dirname "$ROOT$1")"
  new="$ROOT$1.new"
  aside "$new"
  chmod "$2" "$new"
  own "root:\${3:-root}" "$new"
  if cmp -s "$new" "$ROOT$1"; then rm "$new"; else mv -f "$new" "$ROOT$1"; echo "wrote $1"; fi
}
keep() {
  if [ ! -e "$ROOT$1" ]; then put "$@"; return; fi
  new="$ROOT$1.new"
  aside "$new"
  if ! cmp -s "$new" "$ROOT$1"; then echo "kept $1, which differs from yours"; fi
  rm "$new"
}
refuse() { printf '%s\\n' "$1" "$2" "$3" >&2; exit ${refusedExit}; }
resting() {
  if [ ! -S "$ROOT/run/sim2servo/control.sock" ]; then return 0; fi
  state=$("$ROOT/usr/local/bin/sim2servo-robot" ctl state 2>/dev/null || true)
  case $state in
    *'"motion":"waiting"'* | *'"error":'*) ;;
    '') # Its program does not run any more, the service may.
      if [ $SYSTEM = yes ] && systemctl is-active --quiet ${unitNames.service}; then
        refuse E_ARM_UNKNOWN "the service runs, and can not be asked whether it drives the arm" "end it there: sudo systemctl stop ${unitNames.service} (the arm then holds), and run it again"
      fi ;;
    *) refuse E_ARM_DRIVEN "the arm is being driven: nothing is changed under it" "end that first with kit stop, then run it again: it goes on" ;;
  esac
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
  if (content.split('\n').includes(endOfFile))
    throw new KitError('E_PROVISION_FILE', `${path} holds a line '${endOfFile}'`, 'remove that line from it', 'usage');
  const text = content.endsWith('\n') ? content : `${content}\n`;
  return `${keep ? 'keep' : 'put'} ${path} ${mode}${group === undefined ? '' : ` ${group}`} <<'${endOfFile}'\n${text}${endOfFile}\n`;
}
