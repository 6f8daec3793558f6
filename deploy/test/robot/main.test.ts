import t from 'tap';
import { robotProgram } from '../support/installed.js';

t.test('its help names every command with its options', async t => {
  const { status, stdout } = robotProgram([]);
  t.equal(status, 0);
  for (const name of ['run', 'check', 'measure', 'ctl'])
    t.match(stdout, new RegExp(`^sim2servo-robot ${name}\\b`, 'm'));
  const one = robotProgram(['ctl', '--help']).stdout;
  t.match(one, /--socket/);
  t.notMatch(one, /sim2servo-robot run/);
});

t.test('what is wrong is one sentence, the next thing to do, and an exit code', async t => {
  for (const [args, code, exit] of [
    [['fly'], 'E_USAGE', 2],
    [['run', '--speed', '9'], 'E_USAGE', 2],
    [['check', '--root', '/nonexistent'], 'E_NOT_PROVISIONED', 2],
  ] as const) {
    const { status, stdout, stderr } = robotProgram(args);
    t.equal(status, exit, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, new RegExp(`^error: .*\\n  → .*\\[${code}\\]\\n$`));
  }
});
