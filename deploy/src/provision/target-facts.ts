/** What there is to know of a robot before anything is changed on it: one script that only reads, and what it printed. */
import { KitError } from '@sim2servo/models/error';
import { parseJson } from '@sim2servo/models/json-file';
import { controlAnswerSchema, type ServiceMotion } from '../robot/control-protocol.js';
import { manifestName, type RuntimeManifest, runtimeManifestSchema, signatureName } from '../robot/runtime-manifest.js';
import { quoted } from './target-shell.js';

type RuntimeFile = RuntimeManifest['files'][string];

export interface TargetFacts {
  readonly system: string;
  readonly machine: string;
  readonly musl: boolean;
  /** Of its programs; its kernel may have more. */
  readonly bits: 32 | 64;
  readonly user: string;
  readonly root: boolean;
  readonly systemd: boolean;
  readonly udev: boolean;
  /** Of a Node that is on its path; absent where none is. */
  readonly node?: string;
  /** Whether a robot's folder is there, which only its group may look into. */
  readonly robot: boolean;
  /** The release that `current` names. */
  readonly current?: InstalledRuntime;
  /** Of the service; absent where none answers. */
  readonly motion?: ServiceMotion;
  /** Of the USB adapter behind the named port. */
  readonly adapter?: { readonly vendor: string; readonly product: string; readonly serial?: string };
  readonly freeBytes: number;
}

export interface InstalledRuntime {
  /** Name of its folder: that of a whole release is the digest of its manifest. */
  readonly digest: string;
  /** What lies in it, by path, as it is now. */
  readonly files: ReadonlyMap<string, Pick<RuntimeFile, 'sha256' | 'executable'>>;
  /** Paths of what is missing, altered or foreign. */
  readonly damaged: readonly string[];
}

/** @param root of the installation; @param port whose adapter is wanted */
export function factsScript(root: string, port: string | undefined): string {
  return `set -eu
export LC_ALL=C
say() { printf '%s=%s\\n' "$1" "$2"; }
root=${quoted(root === '/' ? '' : root)}
say system "$(uname -s)"
say machine "$(uname -m)"
# By what the system itself runs on: musl may lie beside glibc, and glibc's loader beside musl.
if grep -q ld-musl /bin/sh; then say musl yes; fi
# A 64-bit kernel often runs a system of 32 bits (Raspberry Pi OS): the fifth byte of a program says which.
if [ "$(od -An -tu1 -j4 -N1 /bin/sh | tr -d ' ')" = 1 ]; then say bits 32; fi
say user "$(id -un)"
say uid "$(id -u)"
if [ -d /run/systemd/system ]; then say systemd yes; fi
if command -v udevadm >/dev/null; then say udev yes; fi
if command -v node >/dev/null; then say node "$(node --version)"; fi
at=$root; while [ ! -d "$at/" ]; do at=$(dirname "$at"); done
say freeKb "$(df -Pk "$at/" | awk 'NR == 2 { print $4 }')"
if [ -d "$root/etc/sim2servo/robot" ]; then say robot yes; fi
current="$root/opt/sim2servo/current"
if [ -d "$current/" ]; then
  say current "$(basename "$(readlink "$current")")"
  if [ -f "$current/${manifestName}" ]; then say manifest "$(tr -d '\\n' < "$current/${manifestName}")"; fi
  # Everything is read: an installation may be years old, and on a card.
  cd "$current/"
  find . -type f -exec sha256sum {} + | sed 's,^\\([0-9a-f]*\\) [ *]\\./\\(.*\\)$,file:\\2=\\1,'
  find . -type f -perm -100 | sed 's,^\\./\\(.*\\)$,executable:\\1=yes,'
  find . ! -type f ! -type d | sed 's,^\\./\\(.*\\)$,file:\\1=irregular,'
  cd /
fi
if [ -S "$root/run/sim2servo/control.sock" ]; then
  say state "$("$root/usr/local/bin/sim2servo-robot" ctl state 2>/dev/null || true)"
fi
${
  port === undefined
    ? ''
    : `if [ -e ${quoted(port)} ] && command -v udevadm >/dev/null; then udevadm info -q property -n ${quoted(port)} | grep -E '^ID_(VENDOR_ID|MODEL_ID|SERIAL_SHORT)=' || true; fi`
}`;
}

/** @throws KitError E_TARGET_FACTS */
export function readFacts(text: string): TargetFacts {
  const said = new Map(
    text.split('\n').map(line => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  const must = (key: string) => {
    const value = said.get(key);
    if (value !== undefined && value !== '') return value;
    throw new KitError(
      'E_TARGET_FACTS',
      `the machine did not say its ${key}: '${text.slice(0, 200)}'`,
      'see that its login shell prints nothing else',
      'usage',
    );
  };
  const current = said.get('current');
  const state = said.get('state');
  const vendor = said.get('ID_VENDOR_ID');
  const product = said.get('ID_MODEL_ID');
  const serial = said.get('ID_SERIAL_SHORT');
  const node = said.get('node');
  return {
    system: must('system'),
    machine: must('machine'),
    musl: said.has('musl'),
    bits: said.get('bits') === '32' ? 32 : 64,
    user: must('user'),
    root: must('uid') === '0',
    systemd: said.has('systemd'),
    udev: said.has('udev'),
    robot: said.has('robot'),
    ...(node !== undefined && { node: node.replace(/^v/, '') }),
    ...(current !== undefined && { current: runtimeThere(current, said) }),
    ...(state !== undefined && state !== '' && motionOf(state)),
    ...(vendor !== undefined &&
      product !== undefined && { adapter: { vendor, product, ...(serial !== undefined && { serial }) } }),
    freeBytes: Number(must('freeKb')) * 1024,
  };
}

/** @param said by the target: its manifest, and each file with its digest */
function runtimeThere(digest: string, said: ReadonlyMap<string, string>): InstalledRuntime {
  const files = new Map(
    [...said].flatMap(([key, sha256]) => {
      const path = /^file:(.*)$/.exec(key)?.[1];
      return path === undefined ? [] : [[path, { sha256, executable: said.has(`executable:${path}`) }] as const];
    }),
  );
  // What it ought to hold nobody knows then.
  if (files.get(manifestName)?.sha256 !== digest) return { digest, files, damaged: [manifestName] };
  const wanted = parseJson(said.get('manifest')!, runtimeManifestSchema, 'manifest of the installed runtime').files;
  const altered = Object.entries(wanted).filter(([path, file]) => !sameFile(files.get(path), file));
  const foreign = [...files].filter(
    ([path]) => ![manifestName, signatureName].includes(path) && !Object.hasOwn(wanted, path),
  );
  return { digest, files, damaged: [...altered, ...foreign].map(([path]) => path) };
}

/** @param there undefined where it is missing */
export function sameFile(
  there: Pick<RuntimeFile, 'sha256' | 'executable'> | undefined,
  wanted: Pick<RuntimeFile, 'sha256' | 'executable'>,
): boolean {
  return there?.sha256 === wanted.sha256 && there.executable === wanted.executable;
}

/** A service that does not answer drives nothing: its socket was left by one that was killed. */
function motionOf(text: string): Pick<TargetFacts, 'motion'> {
  const said = parseJson(text, controlAnswerSchema, 'answer of the service');
  return 'answer' in said ? { motion: said.answer.motion } : {};
}
