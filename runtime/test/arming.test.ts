import { createServoState } from '@sim2servo/firmware-bridge/servo-link';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { armInPlace, freshPosition } from '../src/arming.js';
import { robot } from './support/arm-fixture.js';
import { VirtualBoard, VirtualClock } from './support/virtual-board.js';

function bench() {
  const board = new VirtualBoard(new VirtualClock(), { position: [0.3, 1.4] });
  return { board, servo: createServoState(2), targets: new Float64Array(2) };
}

t.test('a fresh position is one that just came and is a number', async t => {
  const { board, servo } = bench();
  await freshPosition(robot.spec, board, servo);
  t.same([...servo.position], [0.3, 1.4]);
  board.spoil = state => state.position.fill(Number.POSITIVE_INFINITY);
  await t.rejects(freshPosition(robot.spec, board, servo), { code: 'E_POSITION', message: /'shoulder' is Infinity/ });
  board.loses = () => true;
  await t.rejects(freshPosition(robot.spec, board, servo), { code: 'E_NO_SAMPLE', exit: 'noDevice' });
});

t.test('the first thing an armed arm is told is to stay, before its deadline can run out', async t => {
  const { board, servo, targets } = bench();
  await freshPosition(robot.spec, board, servo);
  const armedAt = board.clock.nowUs();
  await armInPlace(robot.spec, board, servo, targets);
  t.same(board.writes, [{ atUs: armedAt, targets: [0.3, 1.4] }]);
  t.equal(board.device, 'armed');
});

t.test('an arm that was moved since it was read stays where it was armed, not where it was', async t => {
  const { board, servo, targets } = bench();
  await freshPosition(robot.spec, board, servo);
  board.position[0] = 0.4;
  await armInPlace(robot.spec, board, servo, targets);
  t.same(board.writes[0]!.targets, [0.4, 1.4]);
});

t.test('an arming that does not know where a joint is tells the arm nothing but to hold', async t => {
  const { board, servo, targets } = bench();
  board.position[1] = Number.NaN;
  await t.rejects(armInPlace(robot.spec, board, servo, targets), { code: 'E_POSITION', message: /'elbow' is NaN/ });
  t.same(board.writes, []);
  t.same(board.halts, ['hold']);
});

t.test('an arm whose samples stay away after the arming is told to hold', async t => {
  const { board, servo, targets } = bench();
  await freshPosition(robot.spec, board, servo);
  board.loses = () => true;
  await t.rejects(armInPlace(robot.spec, board, servo, targets), { code: 'E_NO_SAMPLE' });
  t.same(board.halts, ['hold']);
});

t.test('a port that vanishes while arming keeps its error, and says that nobody was told', async t => {
  const { board, servo, targets } = bench();
  await freshPosition(robot.spec, board, servo);
  board.failure = new KitError('E_PORT_CLOSED', 'the port went away', 'plug it in', 'noDevice');
  await t.rejects(armInPlace(robot.spec, board, servo, targets), {
    code: 'E_PORT_CLOSED',
    exit: 'noDevice',
    message: /went away; nor could it be told to hold/,
  });
});
