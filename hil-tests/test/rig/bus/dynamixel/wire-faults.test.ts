import t from 'tap';
import { alike, DynamixelBench, mixed } from '../../../support/dynamixel-bench.js';

const change = (at: number, to: (byte: number) => number) => (bytes: Uint8Array) => {
  const spoilt = Uint8Array.from(bytes);
  spoilt[at] = to(spoilt[at]!);
  return spoilt;
};

/** What may become of an answer. */
const faults: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  'a bit flipped in the header': change(1, byte => byte ^ 0x10),
  'a bit flipped in the id': change(4, byte => byte ^ 0x02),
  'a bit flipped in the length': change(5, byte => byte ^ 0x20),
  'a bit flipped in the data': change(12, byte => byte ^ 0x01),
  'a wrong CRC': bytes => change(bytes.length - 1, byte => byte ^ 0x80)(bytes),
  'a byte dropped': bytes => Uint8Array.of(...bytes.subarray(0, 9), ...bytes.subarray(10)),
  'a byte inserted': bytes => Uint8Array.of(...bytes.subarray(0, 9), 0x55, ...bytes.subarray(9)),
  'cut short': bytes => bytes.subarray(0, 6),
  nothing: bytes => bytes.subarray(0, 0),
};

/** Of answers, one of them and no more, from now on. */
function spoilOne(bench: DynamixelBench, fault: (bytes: Uint8Array) => Uint8Array): void {
  let left = 1;
  bench.bus.wire.tamper = answer => (left-- > 0 ? { ...answer, bytes: before => fault(answer.bytes(before)) } : answer);
}

for (const [kind, models, firmware] of [
  ['fast', mixed, 52],
  ['single', alike, 45],
] as const)
  t.test(`${kind} answers`, async t => {
    const bench = await DynamixelBench.on(t, models);
    for (const { table } of bench.servos) table.set('firmwareVersion', firmware);
    const motion = await bench.armed();
    const stood = [...bench.state.position];
    const near = () => bench.state.position.every((angle, j) => Math.abs(angle - stood[j]!) < 0.02);
    for (const [name, fault] of Object.entries(faults)) {
      await bench.tick(motion, bench.state.position);
      const { sample, linkErrors } = bench.state;
      spoilOne(bench, fault);
      t.ok(await motion.read(bench.state, 20_000), `${name}: asked again within the tick`);
      t.equal(bench.state.sample, sample + 1, `${name}: one sample`);
      t.ok(bench.state.linkErrors > linkErrors, `${name}: counted`);
      t.ok(near(), `${name}: nothing made up`);
      t.equal(bench.state.device, 'armed');
    }

    spoilOne(bench, bytes => Uint8Array.of(1, 0xff, 0xff, 0xfd, 2, 3, ...bytes));
    t.ok(await bench.tick(motion), 'garbage before an answer costs nothing');
    t.ok(near());

    let late = bench.servos.length;
    bench.bus.wire.tamper = answer => (late-- > 0 ? { ...answer, delayUs: 7_000 } : answer);
    t.notOk(await motion.read(bench.state, 3_000), 'a late answer is none');
    await bench.rest(20_000);
    t.ok(await bench.tick(motion), 'nor is it one to the next question');
    t.ok(near());

    bench.bus.wire.tamper = answer => ({ ...answer, bytes: before => faults['a wrong CRC']!(answer.bytes(before)) });
    const { sample } = bench.state;
    for (let i = 0; i < 5; i++) t.notOk(await bench.tick(motion), 'while all are spoilt every tick is stale');
    t.equal(bench.state.sample, sample);
    bench.bus.wire.tamper = answer => answer;
    t.ok(await bench.tick(motion), 'and the first good one is heard');
    t.ok(near());
  });
