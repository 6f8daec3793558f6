/** What there is to know of a robot before anything is changed on it: one script that only reads, and what it printed. */
import { KitError } from '@sim2servo/models/error';
import { parseJson } from '@sim2servo/models/json-file';
import { controlAnswerSchema, type ServiceMotion } from '../robot/control-protocol.js';
import { manifestName, type RuntimeManifest, runtimeManifestSchema } from '../robot/runtime-manifest.js';
import { quoted } from './target-shell.js';

export interface TargetFacts {
  readonly system: string;
  readonly machine: string;
  readonly musl: boolean;
  readonly user: string;
  readonly root: boolean;
  readonly systemd: boolean;
  readonly udev: boolean;
  /** Of a Node that is on its path; absent where none is. */
  readonly node?: string;
  /** The release that `current` names. */
  readonly current?: { readonly digest: string; readonly manifest: RuntimeManifest };
  /** Of the service; absent where none answers. */
  readonly motion?: ServiceMotion;
  /** Of the USB adapter behind the named port. */
  readonly adapter?: { readonly vendor: string; readonly product: string; readonly serial?: string };
  readonly freeBytes: number;
}

/** @param root of the installation; @param port whose adapter is wanted */
export function factsScript(root: string, port: string | undefined): string {
  return `set -eu
export LC_ALL=C
say() { printf '%s=%s\\n' "$1" "$2"; }
root=${quoted(root === '/' ? '' : root)}
say system "$(uname -s)"
say machine "$(uname -m)"
if ls /lib/ld-musl-* >/dev/null 2>&1; then say musl yes; fi
say user "$(id -un)"
say uid "$(id -u)"
if [ -d /run/systemd/system ]; then say systemd yes; fi
if command -v udevadm >/dev/null; then say udev yes; fi
if command -v node >/dev/null; then say node "$(node --version)"; fi
at=$root; while [ ! -d "$at/" ]; do at=$(dirname "$at"); done
say freeKb "$(df -Pk "$at/" | awk 'NR == 2 { print $4 }')"
if [ -e "$root/opt/sim2servo/current/${manifestName}" ]; then
  say current "$(basename "$(readlink "$root/opt/sim2servo/current")")"
  say manifest "$(tr -d '\\n' < "$root/opt/sim2servo/current/${manifestName}")"
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
  const digest = said.get('current');
  const manifest = said.get('manifest');
  const state = said.get('state');
  const vendor = said.get('ID_VENDOR_ID');
  const product = said.get('ID_MODEL_ID');
  const serial = said.get('ID_SERIAL_SHORT');
  const node = said.get('node');
  return {
    system: must('system'),
    machine: must('machine'),
    musl: said.has('musl'),
    user: must('user'),
    root: must('uid') === '0',
    systemd: said.has('systemd'),
    udev: said.has('udev'),
    ...(node !== undefined && { node: node.replace(/^v/, '') }),
    ...(digest !== undefined &&
      manifest !== undefined && {
        current: { digest, manifest: parseJson(manifest, runtimeManifestSchema, 'manifest of the installed runtime') },
      }),
    ...(state !== undefined && state !== '' && motionOf(state)),
    ...(vendor !== undefined &&
      product !== undefined && { adapter: { vendor, product, ...(serial !== undefined && { serial }) } }),
    freeBytes: Number(must('freeKb')) * 1024,
  };
}

/** A service that does not answer drives nothing: its socket was left by one that was killed. */
function motionOf(text: string): Pick<TargetFacts, 'motion'> {
  const said = parseJson(text, controlAnswerSchema, 'answer of the service');
  return 'answer' in said ? { motion: said.answer.motion } : {};
}
