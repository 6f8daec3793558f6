import type { BusKind } from '@sim2servo/hil-tests/rig/bus/create-bus';
import t from 'tap';
import { busWorks, startBusRigs } from '../src/bus-rigs.js';
import { measureBus } from '../src/measure-bus.js';

t.test('a cycle takes at least what its bytes take on the wire', async t => {
  for (const work of busWorks(undefined).filter(({ reads }) => reads === 'all')) {
    const { args, stop } = await startBusRigs(work);
    const [, port, , echo, , paced] = args;
    try {
      const { kind, servos, baud } = work as { kind: BusKind; servos: number; baud: number };
      const figures = await measureBus({ kind, servos, baud, cycles: 50, port: port!, echo: echo!, paced: paced! });
      t.comment(JSON.stringify(figures));
      const { p50Us, p99Us, wireP50Us, echoP50Us, pacedP50Us, p50OverFloor } = figures;
      // Six servos: more than a hundred bytes at 10 µs each.
      t.ok(wireP50Us! > 1_000, `${kind}: ${wireP50Us} µs on the wire`);
      t.ok(p50Us! > 0.95 * wireP50Us!, `${p50Us} µs in all`);
      t.ok(p99Us! >= p50Us!);
      t.ok(echoP50Us! > 0);
      t.ok(pacedP50Us! > 0.95 * wireP50Us!, `${pacedP50Us} µs there and back at the baud rate`);
      t.equal(p50OverFloor, p50Us! / (wireP50Us! + echoP50Us!));
    } finally {
      await stop();
    }
  }
});

t.test('one kind or each, and what LeRobot reads in a tick beside what we do', async t => {
  const listed = (kind?: 'dynamixel') => busWorks(kind).map(work => `${work.kind} ${work.reads}`);
  t.same(listed(), ['feetech all', 'feetech position', 'dynamixel all', 'dynamixel position']);
  t.same(listed('dynamixel'), ['dynamixel all', 'dynamixel position']);
});
