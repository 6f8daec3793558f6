/** `npm test`: sets up, runs every test with tap, and closes with `N passed, N failed`. Arguments name test files or tap options. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, setup } from './setup.mjs';

setup();
const output = join(root, '.tap', 'results.tap');
rmSync(output, { force: true });
const tap = join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs');
// The runner makes itself anew where .taprc leaves out one of its plugins, and only its next run goes by that.
const made = join(root, 'node_modules', '.tap-made');
if (!existsSync(made)) {
  const { status } = spawnSync(process.execPath, [tap, 'build'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(1);
  writeFileSync(made, '');
}
const { status } = spawnSync(process.execPath, [tap, 'run', `--output-file=${output}`, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
if (!existsSync(output)) {
  process.stderr.write('tap wrote no results\n');
  process.exit(1);
}
const { Parser } = await import('tap-parser');
const results = Parser.parse(readFileSync(output, 'utf8'), { flat: true })
  .filter(([kind]) => kind === 'assert')
  .map(([, result]) => result);
const failed = results.filter(result => !result.ok);
for (const result of failed) process.stdout.write(`failed: ${result.fullname ?? ''} > ${result.name}\n`);
process.stdout.write(`${results.length - failed.length} passed, ${failed.length} failed\n`);
process.exit(status === 0 && failed.length === 0 && results.length > 0 ? 0 : 1);
