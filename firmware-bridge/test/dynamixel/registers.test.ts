import t from 'tap';
import {
  accelerationStepCountsPerS2,
  alertBit,
  controlTable,
  dynamixelModels,
  errors,
  errorWordsOf,
  hardwareErrorWords,
  registers,
  velocityStepCountsPerS,
} from '../../src/dynamixel/registers.js';

t.test('no two registers of a model share a byte, and none lies in its indirect slots', async t => {
  for (const [name, model] of Object.entries(dynamixelModels)) {
    const owner = new Map<number, string>();
    const claim = (who: string, from: number, bytes: number) => {
      for (let address = from; address < from + bytes; address++) {
        t.notOk(owner.has(address), `${name}: byte ${address} of ${who} is not ${owner.get(address)}'s`);
        owner.set(address, who);
      }
    };
    for (const [register, { address, bytes }] of Object.entries(controlTable(model))) claim(register, address, bytes);
    claim('indirect addresses', model.indirect.address, 2 * model.indirect.slots);
    claim('indirect data', model.indirect.data, model.indirect.slots);
  }
});

t.test('every register is new within its range', async t => {
  for (const [name, model] of Object.entries(dynamixelModels))
    for (const [register, { initial, min, max }] of Object.entries(controlTable(model)))
      t.ok(min <= initial && initial <= max, `${name}: ${register}`);
});

t.test('the addresses that LeRobot and the manual agree on', async t => {
  const { operatingMode, torqueEnable, busWatchdog, goalPosition, presentPosition, presentTemperature } = registers;
  t.same(
    [operatingMode, torqueEnable, busWatchdog, goalPosition, presentPosition, presentTemperature].map(
      ({ address, bytes }) => [address, bytes],
    ),
    [
      [11, 1],
      [64, 1],
      [98, 1],
      [116, 4],
      [132, 4],
      [146, 1],
    ],
  );
  t.same(
    Object.values(dynamixelModels).map(({ number }) => number),
    [1190, 1200, 1060, 1020],
  );
});

t.test('steps of velocity and acceleration are those of the manual', async t => {
  const radPerCount = (2 * Math.PI) / 4096;
  t.ok(Math.abs(velocityStepCountsPerS * radPerCount - 0.023981) < 1e-6, '0.229 rev/min');
  t.ok(Math.abs(accelerationStepCountsPerS2 * radPerCount - 0.374508) < 1e-6, '214.577 rev/min²');
});

t.test('hardware errors are said in words', async t => {
  t.equal(hardwareErrorWords(0), '');
  t.equal(hardwareErrorWords(0x20), 'it is overloaded');
  t.equal(hardwareErrorWords(0x05), 'its voltage is outside its limits, it is too hot');
  t.equal(hardwareErrorWords(0x40), 'hardware error status 64', 'a bit that we do not know is not swallowed');
});

t.test('errors of a status packet are said in words, with or without the alert bit', async t => {
  t.match(errorWordsOf(errors.range | alertBit), /out of range/);
  t.match(errorWordsOf(errors.access), /locked while torque is on/);
  t.equal(errorWordsOf(9), 'error 9');
});
