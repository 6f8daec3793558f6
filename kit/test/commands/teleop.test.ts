import { readdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { errorOf, kit, memoryTerminal } from '../test-io.js';

const folder = t.testdir({});
const log = `${folder}/log.mcap`;

t.test('who moves the arm is said, once; what does not fit is refused before anything is asked', async t => {
  for (const [line, code, message] of [
    ['--port /dev/x', 'E_HAND', /say who moves the arm/],
    ['--port /dev/x --keyboard --gamepad', 'E_HAND', /name one/],
    ['--port /dev/x --leader /dev/x', 'E_LEADER_PORT', /\/dev\/x is the follower's own port/],
    [
      '--port /dev/x --leader /dev/y --leader-robot so101',
      'E_LEADER_JOINTS',
      /so101 has joints shoulder-pan.*desk2 has/,
    ],
    ['--port /dev/x --leader /dev/y --rate 20', 'E_LEADER_RATE', /at 20 Hz/],
    ['--port /dev/x --gamepad /dev/y --speed 2', 'E_SPEED', /2/],
    ['--port /dev/x --gamepad /dev/y --speed fast', 'E_USAGE', /fast/],
    ['--port /dev/x --keyboard', 'E_NO_KEYBOARD', /stdin is not a terminal/],
    ['--leader /dev/y', 'E_NO_PORT', /names a port/],
  ] as const) {
    const said = await kit(`teleop --json --yes --log ${log} ${line}`);
    t.equal(said.exit, 2, line);
    t.match(errorOf(said), { code, message }, line);
    t.notMatch(said.err, /About to move/, line);
  }
});

t.test('it says what will move how, and asks', async t => {
  const line = `teleop --json --robot so101 --port /dev/follower --leader /dev/leader --seconds 5 --log ${log}`;
  const unasked = await kit(line);
  t.equal(errorOf(unasked).code, 'E_NOT_CONFIRMED');
  t.match(unasked.err, 'About to move so101 on /dev/follower after the leader on /dev/leader, at 50 Hz, 5 s.');
  t.match(unasked.err, "It first comes to the leader's posture, at 0.5 rad/s at most, then follows it.");
  t.match(unasked.err, `Keep clear of the arm. Ctrl-C holds it; the log goes to ${log}.`);
  t.equal((await kit(line, false)).exit, 1);
  t.match(errorOf(await kit(line, true)), { code: 'E_PORT_ABSENT', message: 'there is no port /dev/leader' });
  t.same(readdirSync(folder), [], 'no log of what did not move');
});

t.test('a gamepad that is not there', async t => {
  const said = await kit(`teleop --json --yes --port /dev/x --gamepad ${folder}/js9 --log ${log}`);
  t.equal(said.exit, 3);
  t.match(errorOf(said), { code: 'E_GAMEPAD_OPEN', message: /js9/ });
});

t.test('the terminal is itself again after an error', async t => {
  const keys = memoryTerminal();
  const said = await kit(
    `teleop --json --yes --port /dev/no-such-port --keyboard --log ${log}`,
    undefined,
    undefined,
    keys,
  );
  t.match(errorOf(said), { code: 'E_PORT_ABSENT' });
  t.match(said.err, 'Keys, forward and back: 1 q shoulder   2 w elbow.');
  t.same(keys.modes, [true, false]);
});

t.test('kit record: a task that has no demonstrations, logs that are there, and what it asks', async t => {
  const line = (more: string) => kit(`record --json --port /dev/x --leader /dev/y --log ${log} ${more}`.trim());
  t.match(errorOf(await line('--task track')), { code: 'E_RECORD_TASK', hint: /reach or hold/ });
  t.match(errorOf(await line('--task juggle')), { code: 'E_TASK_UNKNOWN', message: /juggle/ });
  t.match(errorOf(await line('--episodes no')), { code: 'E_USAGE', message: /no/ });
  const unasked = await line('--episodes 3 --seconds 2 --reset 1');
  t.match(unasked.err, 'after the leader on /dev/y, at 50 Hz: 3 episodes of 2 s, 1 s before each.');
  t.equal(errorOf(unasked).code, 'E_NOT_CONFIRMED');
  writeFileSync(`${log}.raw`, '');
  t.match(errorOf(await line('--yes')), { code: 'E_LOG_EXISTS', message: /log\.mcap\.raw/, hint: /--finish/ });
});

t.test('kit record --finish of what is no recording', async t => {
  t.match(errorOf(await kit(`record --json --finish ${folder}/none.raw`)), { code: 'E_LOG_READ' });
  writeFileSync(`${folder}/text.raw`, 'buy milk\n');
  t.match(errorOf(await kit(`record --json --finish ${folder}/text.raw`)), { code: 'E_LOG_FORMAT' });
});

t.test('kit replay of what is not there; the rest is in the tests on a port', async t => {
  t.match(errorOf(await kit(`replay ${folder}/none.mcap --json --port /dev/x`)), { code: 'E_LOG_READ' });
  t.match(errorOf(await kit(`replay ${folder}/none.mcap --json`)), { code: 'E_NO_PORT' });
  t.equal((await kit('replay --json')).exit, 2);
});
