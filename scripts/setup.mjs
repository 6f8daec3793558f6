/**
 * Everything that must stand before the kit can run: the right Node, the locked packages, the compiled sources. Called by `npm start`,
 * `npm test` and the `kit` program; does nothing where nothing is stale.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const say = text => process.stderr.write(`${text}\n`);

function run(what, program, args) {
  const { status, error, signal } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  say(
    `${what} failed: ${program} ${args.join(' ')} ${error ? error.message : signal ? `was ended by ${signal}` : `left with ${status}`}`,
  );
  process.exit(status === null ? 1 : status);
}

/** Refuses a Node that is older than package.json's engines, in words. */
export function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = engines.node
    .match(/(\d+)\.(\d+)/)
    .slice(1)
    .map(Number);
  const found = process.versions.node.split('.').map(Number);
  if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
    say(
      `sim2servo needs Node ${engines.node}; this is ${process.versions.node}. Install a newer one from https://nodejs.org.`,
    );
    process.exit(2);
  }
}

/** Installs from the lock file where `node_modules` is missing or was made from another one. */
function install() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex');
  const stamp = join(root, 'node_modules', '.sim2servo-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  say('Installing packages from package-lock.json (once; about a minute) …');
  run('The installation', process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund']);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

const modified = path => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** What was compiled from a source that is gone: the compiler leaves it, and a test among it would run on. */
function sweep() {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const workspace of workspaces)
    for (const part of ['src', 'test']) {
      const compiled = join(root, workspace, 'dist', part);
      if (!existsSync(compiled)) continue;
      for (const file of readdirSync(compiled, { recursive: true })) {
        const source = join(root, workspace, part, file.replace(/\.(?:js|js\.map|d\.ts)$/, '.ts'));
        if (!existsSync(source)) rmSync(join(compiled, file), { recursive: true, force: true });
      }
    }
}

function build() {
  const started = performance.now();
  sweep();
  run('The TypeScript build', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']);
  const kernel = join(root, 'train', 'assembly', 'optimiser.ts');
  if (modified(kernel) > modified(join(root, 'train', 'dist', 'optimiser.wasm')))
    run('The AssemblyScript build', process.execPath, [join(root, 'train', 'scripts', 'build-assembly.mjs')]);
  const seconds = (performance.now() - started) / 1000;
  if (seconds > 5) say(`Built in ${seconds.toFixed(0)} s.`);
}

export function setup() {
  checkNode();
  install();
  build();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) setup();
