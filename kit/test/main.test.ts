import { readFileSync } from 'node:fs';
import { loopNodeFlags } from '@sim2servo/runtime/gc-pauses';
import t from 'tap';
import { commands } from '../src/commands.js';
import { errorOf, kit } from './test-io.js';

t.test('whoever starts kit by its name starts Node as a loop needs it', async t => {
  const [first] = readFileSync(new URL('../../bin/kit.mjs', import.meta.url), 'utf8').split('\n');
  t.equal(first, `#!/usr/bin/env -S node ${loopNodeFlags.join(' ')}`);
});

t.test('--version and --help say what they are for, and leave with 0', async t => {
  t.match(await kit('--version'), { exit: 0, out: '0.1.0' });
  const help = await kit('--help');
  t.equal(help.exit, 0);
  for (const name of [
    'doctor',
    'train',
    'eval',
    'export',
    'inspect',
    'deploy',
    'run',
    'logs',
    'finetune',
    'hil',
    'device',
  ])
    t.match(help.out, new RegExp(`^ {2}${name}\\b`, 'm'), name);
  t.match(help.out, /Exit codes: 0 ok, 1 failed, 2 usage/);
  t.ok(commands.length >= 11);
});

t.test('every command explains itself', async t => {
  for (const name of [
    'doctor',
    'engine install',
    'train',
    'eval',
    'export',
    'inspect',
    'deploy',
    'run',
    'logs info',
    'finetune',
    'hil',
    'hil up',
    'device list',
    'tour',
  ]) {
    const { exit, out } = await kit(`${name} --help`);
    t.equal(exit, 0, name);
    t.match(out, new RegExp(`^Usage: kit ${name}`), name);
  }
});

t.test('an unknown command is a usage error that names the nearest', async t => {
  const said = await kit('insect');
  t.equal(said.exit, 2);
  t.match(said.err, /unknown command 'insect'/);
  t.match(said.err, /Did you mean inspect/);
});

t.test('with --json errors are one JSON value on stdout and nothing on stderr', async t => {
  const said = await kit('insect --json');
  t.equal(said.exit, 2);
  t.equal(said.err, '');
  t.equal(errorOf(said).code, 'E_USAGE');
});

t.test('what is no number is refused with what was typed', async t => {
  const said = await kit('train --steps many');
  t.equal(said.exit, 2);
  t.match(said.err, /'many' is not a whole number/);
  t.match(await kit('run --policy x --seconds -3'), { exit: 2, err: /'-3' is not a number above 0/ });
});

t.test('a missing option is named', async t => {
  t.match(await kit('deploy bundle'), { exit: 2, err: /required option '--to <target>' not specified/ });
});

t.test('doctor says how to get what is not there', async t => {
  const said = await kit('doctor --json');
  t.equal(said.exit, 0);
  const findings = JSON.parse(said.out) as { name: string; status: string; fix?: string }[];
  t.ok(findings.length >= 8);
  for (const { name, status, fix } of findings) t.ok(status === 'ok' || (fix !== undefined && fix.length > 0), name);
  t.match(
    findings.find(finding => finding.name === 'engine split'),
    { status: 'ok' },
  );
});
