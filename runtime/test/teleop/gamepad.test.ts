import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createControlState } from '@sim2servo/models/control-state';
import t from 'tap';
import { findGamepad, Gamepad } from '../../src/teleop/gamepad.js';
import { robot } from '../support/arm-fixture.js';

const { spec } = robot;
const needsFifos = { skip: process.platform === 'win32' && 'named pipes of this kind need a POSIX system' };
const folder = t.testdir({});
let pads = 0;

/** An event as the kernel writes it: struct js_event of linux/joystick.h. */
function event(kind: 'button' | 'axis', number: number, value: number, init = false): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(123_456, 0);
  bytes.writeInt16LE(value, 4);
  bytes[6] = (kind === 'button' ? 1 : 2) | (init ? 0x80 : 0);
  bytes[7] = number;
  return bytes;
}

/** A pad behind a named pipe. */
function padFixture() {
  const path = join(folder, `js${++pads}`);
  execFileSync('mkfifo', [path]);
  const writer = openSync(path, constants.O_RDWR);
  const pad = new Gamepad(spec, path, 0.5);
  const state = createControlState(spec);
  const targets = new Float64Array(2);
  return {
    pad,
    writer,
    say: (...events: Buffer[]) => void writeSync(writer, Buffer.concat(events)),
    aim() {
      pad.aim(state, 0.02, targets);
      return [...targets];
    },
  };
}

const full = 0.5 * spec.joints[0]!.maxVelocity * 0.02;

t.test(
  'nothing moves without the dead-man button; with it each stick moves its joint; let go, all stand',
  needsFifos,
  async t => {
    const { pad, say, aim } = padFixture();
    t.same(aim(), [0, 0], 'nothing has come yet');
    say(event('axis', 0, -32_767), event('axis', 1, 32_767));
    t.same(aim(), [0, 0]);
    t.match(pad.words(), /button 4 is not held/);
    say(event('button', 4, 1));
    t.same(aim(), [full, -full], 'to the left and towards the player');
    t.equal(pad.words(), 'shoulder +, elbow −');
    say(event('axis', 0, 0));
    t.same(aim(), [0, -full]);
    say(event('button', 4, 0));
    t.same(aim(), [0, 0]);
    pad.close();
  },
);

t.test('a button that is down when the pad is opened was pressed for something else', needsFifos, async t => {
  const { pad, say, aim } = padFixture();
  say(event('button', 4, 1, true), event('axis', 0, -32_767, true));
  t.same(aim(), [0, 0]);
  say(event('button', 4, 0), event('button', 4, 1));
  t.same(aim(), [full, 0], 'the stick stands as it was told at the opening');
  pad.close();
});

t.test('a stick near its middle is at rest; beyond it counts from nothing on', needsFifos, async t => {
  const { pad, say, aim } = padFixture();
  say(event('button', 4, 1), event('axis', 0, -3_900));
  t.same(aim(), [0, 0]);
  say(event('axis', 0, -Math.round(32_767 * 0.56)));
  t.ok(Math.abs(aim()[0]! / full - 0.5) < 1e-3, 'half way of what is left');
  say(event('axis', 0, -32_768));
  t.same(aim(), [full, 0], 'never more than all');
  pad.close();
});

t.test('events split anywhere are the same events, and others are passed over', needsFifos, async t => {
  const { pad, say, aim } = padFixture();
  const bytes = Buffer.concat([
    event('button', 0, 1),
    event('axis', 2, -32_767, true),
    event('button', 4, 1),
    event('axis', 0, -32_767),
  ]);
  for (const byte of bytes) {
    say(Buffer.of(byte));
    aim();
  }
  t.same(aim(), [full, 0]);
  say(...Array.from({ length: 200 }, (_, i) => event('axis', 0, i % 2 === 0 ? 0 : 32_767)));
  t.same(aim(), [-full, 0], 'more than the buffer holds');
  pad.close();
});

t.test('a pad that is unplugged ends the run', needsFifos, async t => {
  const { pad, say, aim, writer } = padFixture();
  say(event('button', 4, 1), event('axis', 0, -32_767));
  t.same(aim(), [full, 0]);
  closeSync(writer);
  t.throws(aim, { code: 'E_GAMEPAD_GONE', exit: 'noDevice', message: /js\d+ has gone/ });
  pad.close();
});

t.test('one that is not there, a robot with too many joints', async t => {
  t.throws(() => new Gamepad(spec, join(folder, 'none'), 0.5), { code: 'E_GAMEPAD_OPEN', message: /ENOENT/ });
  const many = { ...spec, joints: Array.from({ length: 7 }, () => spec.joints[0]!) };
  t.throws(() => new Gamepad(many, '/dev/null', 0.5), { code: 'E_GAMEPAD_JOINTS' });
});

t.test('the first gamepad of the system is found by its name', async t => {
  const inputs = join(folder, 'input');
  t.throws(() => findGamepad(inputs), { code: 'E_GAMEPAD_NONE', exit: 'noDevice' });
  mkdirSync(inputs);
  for (const name of ['event0', 'js1', 'js0', 'mice']) writeFileSync(join(inputs, name), '');
  t.equal(findGamepad(inputs), join(inputs, 'js0'));
});
