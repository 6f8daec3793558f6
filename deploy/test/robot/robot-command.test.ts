import t from 'tap';
import { commandHelp, parseCommand, type RobotCommand } from '../../src/robot/robot-command.js';

const plain: RobotCommand = { words: 'does it', options: { root: 'where', port: 'which' }, act: async () => {} };
const withOperand: RobotCommand = { ...plain, operand: 'WHAT' };

t.test('options have values; operands only where there are some', async t => {
  t.same(parseCommand('run', plain, ['--root', '/x', '--port=/dev/ttyS0']), {
    flags: { root: '/x', port: '/dev/ttyS0' },
    operands: [],
  });
  t.same(parseCommand('ctl', withOperand, ['start', '--root', '/x']).operands, ['start']);
  t.same(parseCommand('run', plain, []), { flags: {}, operands: [] });
});

t.test('what is unknown, lacks its value or stands where nothing should is refused', async t => {
  for (const args of [['--colour', 'red'], ['--root'], ['start']])
    t.throws(
      () => parseCommand('run', plain, args),
      { code: 'E_USAGE', hint: /run --help/, exit: 'usage' },
      args.join(' '),
    );
});

t.test('the help names each option with its words', async t => {
  t.equal(commandHelp('run', plain), 'sim2servo-robot run: does it\n  --root       where\n  --port       which');
  t.match(commandHelp('ctl', withOperand), /^sim2servo-robot ctl WHAT: does it/);
});
