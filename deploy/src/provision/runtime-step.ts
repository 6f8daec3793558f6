/** The step that brings a release of the runtime, or what is damaged of the one that is there. */
import { sha256, shortDigest } from '@sim2servo/models/digest';
import { manifestName, signatureName } from '../robot/runtime-manifest.js';
import { nodePath, type RuntimePackage } from './runtime-package.js';
import type { Step } from './steps.js';
import { sameFile, type TargetFacts } from './target-facts.js';
import { quoted } from './target-shell.js';

/** Files of the new release that lie in the robot's current one, unspoilt: linked there instead of sent. */
export function filesThere({ manifest, files }: RuntimePackage, { current }: TargetFacts): string[] {
  return files
    .filter(({ path, content, executable }) =>
      sameFile(current?.files.get(path), manifest.files[path] ?? { sha256: sha256(content), executable }),
    )
    .map(({ path }) => path);
}

/** A few names, and how many more there are. */
const named = (paths: readonly string[]): string =>
  paths.length <= 4 ? paths.join(', ') : `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more`;

const program = '"$ROOT/usr/local/bin/sim2servo-robot"';

/** What the step goes by is what was found when the robot was looked at. */
const unchanged = ({ current }: TargetFacts): string => `found=
if [ -d "$ROOT/opt/sim2servo/current/" ]; then found=$(basename "$(readlink "$ROOT/opt/sim2servo/current")"); fi
test "$found" = ${quoted(current?.digest ?? '')} ||
  refuse E_TARGET_CHANGED "somebody has installed another runtime since it was looked at" "run it again"
`;

/** `whole`: the files named on stdin with their digests, in the folder that one is in; those that are otherwise are named. */
const begin = `releases="$ROOT/opt/sim2servo/releases"
new="$releases/.incoming"
whole() {
  if ! said=$(sha256sum -c - 2>&1); then
    printf '%s\\n' "$said" | grep -v ': OK$' >&2
    exit 1
  fi
}
rm -rf "$new"
mkdir "$new"
`;

const sent = `gzip -dc | tar -xf - -C "$new"
own -R root:root "$new"
cd "$new"
`;

type Sum = readonly [path: string, sha256: string];

const allOf = ({ digest, manifest }: RuntimePackage): Sum[] => [
  ...Object.entries(manifest.files).map(([path, file]) => [path, file.sha256] as const),
  [manifestName, digest],
];

const whole = (sums: readonly Sum[]): string =>
  `whole <<'SUMS'\n${sums.map(([path, digest]) => `${digest}  ${path}\n`).join('')}SUMS\n`;

/** @param runs whether what is installed runs on the machine that the step runs on */
export function runtimeStep(runtime: RuntimePackage, facts: TargetFacts, runs: boolean): Step {
  const { digest, files } = runtime;
  if (facts.current?.digest !== digest) return newRelease(runtime, facts, runs);
  const there = new Set(filesThere(runtime, facts));
  const lacking = files.map(({ path }) => path).filter(path => !there.has(path));
  const own = new Set([...files.map(({ path }) => path), signatureName]);
  const foreign = facts.current.damaged.filter(path => !own.has(path));
  if (lacking.length === 0 && foreign.length === 0)
    return { name: 'runtime', words: `runtime ${shortDigest(digest)} is there already`, script: unchanged(facts) };
  return mended(runtime, facts, lacking, foreign);
}

/** File by file: at no moment is there no runtime. */
function mended(
  runtime: RuntimePackage,
  facts: TargetFacts,
  lacking: readonly string[],
  foreign: readonly string[],
): Step {
  const contents = new Map(runtime.files.map(({ path, content }) => [path, content]));
  const sums = lacking.map(path => [path, sha256(contents.get(path)!)] as const);
  const moves = lacking.map(path => `put_in ${quoted(path)}\n`).join('');
  const removals = foreign.map(path => `rm -f "$release"/${quoted(path)}\n`).join('');
  const words = [
    ...(lacking.length === 0 ? [] : [`${named(lacking)}: sent aside, verified, put in place`]),
    ...(foreign.length === 0 ? [] : [`${named(foreign)} does not belong to it, and is removed`]),
  ];
  return {
    name: 'runtime',
    archive: true,
    words: `runtime ${shortDigest(runtime.digest)} is there, but not as it should be. ${words.join('; ')}`,
    script: `${unchanged(facts)}${begin}${sent}${lacking.length === 0 ? '' : whole(sums)}sync
release="$releases/${runtime.digest}"
put_in() { mkdir -p "$(dirname "$release/$1")"; mv -fT "$new/$1" "$release/$1"; }
${moves}${removals}cd "$release"
${whole(allOf(runtime))}rm -rf "$new"
sync
echo "mended ${shortDigest(runtime.digest)}"
`,
  };
}

function newRelease(runtime: RuntimePackage, facts: TargetFacts, runs: boolean): Step {
  const { digest, ownNode } = runtime;
  const there = filesThere(runtime, facts);
  const links = there.map(path => `link ${quoted(path)}\n`).join('');
  const damaged = facts.current?.damaged ?? [];
  const words = [
    `runtime ${shortDigest(digest)}: sent aside, each file verified, synced, let in by a rename`,
    ...(there.length === 0 ? [] : [`${there.length} files of it are there already`]),
    ...(damaged.length === 0
      ? []
      : [`the runtime that is there is damaged (${named(damaged)}), so it is not asked about this one`]),
  ];
  return {
    name: 'runtime',
    archive: true,
    words: words.join('; '),
    script: `${unchanged(facts)}${begin}link() { mkdir -p "$(dirname "$new/$1")"; ln "$ROOT/opt/sim2servo/current/$1" "$new/$1"; }
${links}${sent}${whole(allOf(runtime))}${
  // The runtime that is there decides whether it trusts what comes after it. Of the policy, which lies in another store, this says nothing.
  runs && facts.current !== undefined && damaged.length === 0
    ? `if [ -x ${program} ]; then ${program} check --runtime "$new" --store "$new" >/dev/null; fi\n`
    : ''
}${ownNode ? '' : `test -x ${nodePath}\n`}sync
rm -rf "$releases/${digest}"
mv "$new" "$releases/${digest}"
# The one before is kept.
rm -f "$ROOT/opt/sim2servo/.link"
if [ -L "$ROOT/opt/sim2servo/current" ]; then
  ln -s "$(readlink "$ROOT/opt/sim2servo/current")" "$ROOT/opt/sim2servo/.link"
  mv -fT "$ROOT/opt/sim2servo/.link" "$ROOT/opt/sim2servo/previous"
fi
ln -s "releases/${digest}" "$ROOT/opt/sim2servo/.link"
mv -fT "$ROOT/opt/sim2servo/.link" "$ROOT/opt/sim2servo/current"
sync
for old in "$releases"/*; do
  case $(basename "$old") in
    ${digest}) ;;
    "$(basename "$(readlink "$ROOT/opt/sim2servo/previous" || true)")") ;;
    *) rm -rf "$old" ;;
  esac
done
echo "installed ${digest.slice(0, 12)}"
`,
  };
}
