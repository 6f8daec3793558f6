import t from 'tap';
import { findPort, type PlugRequest } from '../src/find-port.js';
import { VirtualClock } from './support/virtual-clock.js';

/** @param story what happens how many seconds after the beginning */
function desk(before: readonly string[], story: readonly (readonly [atS: number, change: string])[]) {
  const clock = new VirtualClock();
  const ports = new Set(before);
  const asked: PlugRequest[] = [];
  for (const [atS, change] of story)
    clock.after(atS * 1e6, () => {
      const path = change.slice(1);
      if (change.startsWith('+')) ports.add(path);
      else ports.delete(path);
    });
  const abort = new AbortController();
  const find = () =>
    findPort({
      list: async () => [...ports],
      clock,
      timeoutUs: 30e6,
      signal: abort.signal,
      onRequest: request => asked.push(request),
    });
  return { find, asked, clock, abort };
}

t.test('the port that goes and comes is the one, whatever else is there', async t => {
  const { find, asked } = desk(
    ['/dev/ttyUSB0', '/dev/ttyUSB1'],
    [
      [3, '-/dev/ttyUSB1'],
      [8, '+/dev/ttyUSB1'],
    ],
  );
  t.same(await find(), ['/dev/ttyUSB1']);
  t.same(asked, ['unplug', 'plug']);
});

t.test('it may come back under another name', async t => {
  const { find } = desk(
    ['/dev/ttyUSB0'],
    [
      [1, '-/dev/ttyUSB0'],
      [5, '+/dev/ttyUSB3'],
    ],
  );
  t.same(await find(), ['/dev/ttyUSB3']);
});

t.test(
  'where none is there it is only to be plugged in; and who plugs in instead of unplugging is understood',
  async t => {
    const none = desk([], [[2, '+/dev/ttyACM0']]);
    t.same(await none.find(), ['/dev/ttyACM0']);
    t.same(none.asked, ['plug']);
    const other = desk(['/dev/ttyS0'], [[2, '+/dev/ttyACM0']]);
    t.same(await other.find(), ['/dev/ttyACM0']);
    t.same(other.asked, ['unplug']);
  },
);

t.test('an adapter with two ports is both of them', async t => {
  const { find } = desk(
    [],
    [
      [2, '+/dev/ttyUSB1'],
      [2.3, '+/dev/ttyUSB0'],
    ],
  );
  t.same(await find(), ['/dev/ttyUSB0', '/dev/ttyUSB1']);
});

t.test('nothing within the time is an error that names what is there', async t => {
  const still = desk(['/dev/ttyUSB0'], []);
  await t.rejects(still.find(), { code: 'E_FIND_PORT', exit: 'timeout', message: /went within 30 s.*ttyUSB0/ });
  const gone = desk(['/dev/ttyUSB0'], [[1, '-/dev/ttyUSB0']]);
  await t.rejects(gone.find(), { code: 'E_FIND_PORT', message: /came within 30 s; there is none/ });
});

t.test('Ctrl-C ends it', async t => {
  const { find, clock, abort } = desk(['/dev/ttyUSB0'], []);
  clock.after(2e6, () => abort.abort());
  await t.rejects(find(), { code: 'E_INTERRUPTED', exit: 'interrupt' });
});
