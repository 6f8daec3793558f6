import t from 'tap';
import {
  axisOf,
  fingertipOf,
  gripperOf,
  jointOf,
  modelJoints,
  offsetOf,
  rangeOf,
  servoWords,
} from '../src/arm-flags.js';

t.test('a joint in one word', t => {
  t.same(jointOf('lift:y:-90..90:0,0,110.5'), {
    name: 'lift',
    axis: 'y',
    rangeDeg: [-90, 90],
    offsetMm: [0, 0, 110.5],
  });
  t.same(jointOf('lift:-y:-1.5..2e1:-1,2,3:20').homeDeg, 20);
  t.same(gripperOf('z:0..70'), { axis: 'z', rangeDeg: [0, 70] });
  t.same(gripperOf('jaw:-x:-10..5'), { name: 'jaw', axis: '-x', rangeDeg: [-10, 5] });
  t.end();
});

t.test('a fingertip is a place of the model, or so far from one', t => {
  t.same(fingertipOf('tool0'), { fingertip: 'tool0' });
  t.same(fingertipOf('robot:hand'), { fingertip: 'robot:hand' });
  t.same(fingertipOf('robot:hand:80,-1.5,0'), { fingertip: 'robot:hand', fingertipMm: [80, -1.5, 0] });
  t.throws(() => fingertipOf('hand:80,0'), { code: 'E_ARM_WORDS' });
  t.throws(() => fingertipOf(''), { code: 'E_ARM_WORDS' });
  t.end();
});

t.test('what cannot be read is repeated, with what would be right', t => {
  for (const [read, text, hint] of [
    [jointOf, 'lift:y:-90..90', /^write a joint name:axis:low\.\.high:x,y,z, such as/],
    [jointOf, 'lift:up:-90..90:0,0,1', 'write an axis: x, y, z, -x, -y or -z'],
    [jointOf, 'lift:y:-90..90:0,0,1:ten', /a joint/],
    [rangeOf, '-90', /^write a range in degrees, such as -90\.\.90$/],
    [rangeOf, '1..2..3', /a range/],
    [rangeOf, '..5', /a range/],
    [rangeOf, 'NaN..5', /a range/],
    [offsetOf, '1,2', /^write an offset x,y,z in mm/],
    [offsetOf, '1,,3', /an offset/],
    [offsetOf, '1,2,Infinity', /an offset/],
    [axisOf, '', /an axis/],
    [gripperOf, '0..70', /a gripper/],
  ] as const)
    t.throws(() => read(text), { code: 'E_ARM_WORDS', exit: 'usage', message: /^'.*' can't be read$/, hint }, text);
  t.end();
});

t.test('one servo for all, others by joint; flags go before what a file says', t => {
  t.same(servoWords(['xl430-w250', 'a=xl330-m288']), { usual: 'xl430-w250', of: [['a', 'xl330-m288']] });
  t.same(servoWords([]), { of: [] });
  t.throws(() => servoWords(['sts3215', 'mg996r']), { code: 'E_ARM_WORDS' });
  t.throws(() => servoWords(['a=']), { code: 'E_ARM_WORDS' });
  t.same(modelJoints([{ name: 'a', id: 4, servo: 'sts3215' }], [['a', 'xl330-m288']], ['b=-10..10', 'a=0..5']), [
    { name: 'a', id: 4, servo: 'xl330-m288', rangeDeg: [0, 5] },
    { name: 'b', rangeDeg: [-10, 10] },
  ]);
  t.throws(() => modelJoints([], [], ['a:0..5']), { code: 'E_ARM_WORDS' });
  t.end();
});
