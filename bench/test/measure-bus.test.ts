import { busKinds } from '@sim2servo/hil-tests/rig/bus/create-bus';
import t from 'tap';
import { busWorks, startBusRigs } from '../src/bus-rigs.js';
import { measureBus } from '../src/measure-bus.js';

t.test('a cycle takes at least what its bytes take on the wire', async t => {
  for (const work of busWorks(undefined)) {
    const { args, stop } = await startBusRigs(work);
    const [, port, , echo] = args;
    try {
      const { kind, servos, baud } = work as { kind: (typeof busKinds)[number]; servos: number; baud: number };
      const figures = await measureBus({ kind, servos, baud, cycles: 50, port: port!, echo: echo! });
      t.comment(JSON.stringify(figures));
      const { p50Us, p99Us, wireUs, echoP50Us, p50OverFloor } = figures;
      // Six servos: more than a hundred bytes at 10 µs each.
      t.ok(wireUs! > 1_000, `${kind}: ${wireUs} µs on the wire`);
      t.ok(p50Us! > 0.95 * wireUs!, `${p50Us} µs in all`);
      t.ok(p99Us! >= p50Us!);
      t.ok(echoP50Us! > 0);
      t.equal(p50OverFloor, p50Us! / (wireUs! + echoP50Us!));
    } finally {
      await stop();
    }
  }
});

t.test('one kind or each', async t => {
  t.same(
    busWorks(undefined).map(({ kind }) => kind),
    busKinds,
  );
  t.same(
    busWorks('dynamixel').map(({ kind }) => kind),
    ['dynamixel'],
  );
});
