import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import { holdWords } from '@sim2servo/runtime/hold-words';
import type { LoopEnd, LoopStatus } from '@sim2servo/runtime/loop-report';
import t from 'tap';
import { type DriveOptions, type DriveReport, RobotService } from '../../src/robot/service.js';

/** Time that stands still until somebody waits; the event loop turns meanwhile. */
class TurningClock implements Clock {
  #nowUs = 0;

  nowUs(): number {
    return this.#nowUs;
  }

  async waitUntil(timeUs: number): Promise<void> {
    await new Promise(resolve => setImmediate(resolve));
    this.#nowUs = Math.max(this.#nowUs, timeUs);
  }
}

const status = (ticks: number): LoopStatus => ({
  motion: 'running',
  reason: '',
  ticks,
  missed: 0,
  episode: 0,
  targets: 0,
  reached: 0,
  errorM: 0,
  linkErrors: 0,
  inferP99Us: 0,
  positionRad: [],
});

const report = (end: LoopEnd, ticks = 10): DriveReport => ({
  end,
  ticks,
  missed: 0,
  seconds: 1,
  log: undefined,
  held: holdWords(end, { kind: 'feetech', leadMs: 100 }),
});

/** A service whose runs are what `drive` makes of them. */
function serviceWith(drive: (options: DriveOptions) => Promise<DriveReport>) {
  const ticks: number[] = [];
  const said: string[] = [];
  const service = new RobotService({
    clock: new TurningClock(),
    drive,
    ticked: count => ticks.push(count),
    say: words => said.push(words),
  });
  const end = new AbortController();
  return { service, ticks, said, end, served: service.serve(end.signal) };
}

const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve));
};

/** Drives until it is told to stop. */
const obedient = (options: DriveOptions): Promise<DriveReport> =>
  new Promise(resolve => {
    options.onStatus(status(1));
    options.onStatus(status(11));
    const stop = () => resolve(report({ kind: 'interrupted', reason: 'somebody asked for it' }, 11));
    if (options.signal.aborted) stop();
    else options.signal.addEventListener('abort', stop);
  });

t.test('a service that starts moves nothing: it waits, and ticks', async t => {
  let drives = 0;
  const { service, ticks, end, served } = serviceWith(options => {
    drives++;
    return obedient(options);
  });
  await turns(50);
  t.equal(drives, 0);
  t.equal(service.now.motion, 'waiting');
  t.ok(ticks.length > 10);
  t.same(
    ticks,
    ticks.map((_, i) => i + 1),
    'one after the other',
  );
  end.abort();
  await served;
});

t.test('start drives, stop holds, and it waits again', async t => {
  const { service, ticks, said, end, served } = serviceWith(obedient);
  await turns();
  await service.handle({ do: 'start' });
  t.equal(service.now.motion, 'driving');
  await service.handle({ do: 'stop' });
  t.equal(service.now.motion, 'waiting');
  t.match(
    service.now.words,
    /interrupted: somebody asked for it; 11 ticks in 1\.0 s, 0 missed; the arm was told to hold, and holds/,
  );
  t.equal(service.now.failure, undefined);
  await turns();
  t.ok(
    ticks.every((count, i) => i === 0 || count > ticks[i - 1]!),
    'the counter rises through waiting, driving and waiting again',
  );
  t.same(said.slice(0, 2), ['starting', 'driving']);
  end.abort();
  await served;
});

t.test('seconds are passed on; each start is a run of its own', async t => {
  const asked: (number | undefined)[] = [];
  const { service, end, served } = serviceWith(options => {
    asked.push(options.seconds);
    return obedient(options);
  });
  await service.handle({ do: 'start', seconds: 3 });
  await service.handle({ do: 'stop' });
  await service.handle({ do: 'start' });
  await service.handle({ do: 'stop' });
  t.same(asked, [3, undefined]);
  end.abort();
  await served;
});

t.test('a second start is refused, and the first goes on', async t => {
  const { service, end, served } = serviceWith(obedient);
  await service.handle({ do: 'start' });
  await t.rejects(service.handle({ do: 'start' }), { code: 'E_ALREADY_DRIVING', hint: /kit stop/ });
  t.equal(service.now.motion, 'driving');
  end.abort();
  await served;
});

t.test('stop where nothing drives says nothing against it', async t => {
  const { service, end, served } = serviceWith(obedient);
  await service.handle({ do: 'stop' });
  await service.handle({ do: 'state' });
  t.equal(service.now.motion, 'waiting');
  end.abort();
  await served;
});

t.test('what is wrong while nothing moves yet is what start answers, and the service lives on', async t => {
  let broken = true;
  const { service, end, served } = serviceWith(options =>
    broken
      ? Promise.reject(new KitError('E_PORT_ABSENT', 'there is no port /dev/ttyUSB0', 'plug it in', 'noDevice'))
      : obedient(options),
  );
  await t.rejects(service.handle({ do: 'start' }), { code: 'E_PORT_ABSENT', hint: 'plug it in', exit: 'noDevice' });
  t.match(service.now, {
    motion: 'waiting',
    words: 'it did not begin: there is no port /dev/ttyUSB0',
    failure: { code: 'E_PORT_ABSENT', exit: 'noDevice' },
  });
  broken = false;
  await service.handle({ do: 'start' });
  t.equal(service.now.motion, 'driving');
  end.abort();
  await served;
  t.equal(service.now.failure, undefined, 'a run that ended well forgets it');
});

t.test('after a safety stop it waits: nothing drives again by itself', async t => {
  let drives = 0;
  const error = new KitError(
    'E_SAFETY_STOP',
    'the arm was stopped: cable; the hold failed: port gone',
    'find the cause',
    'safetyStop',
  );
  const { service, end, served } = serviceWith(async options => {
    drives++;
    options.onStatus(status(1));
    await turns(2);
    return report({ kind: 'stopped', reason: 'cable', error, haltError: 'port gone' });
  });
  await service.handle({ do: 'start' });
  await turns(50);
  t.equal(drives, 1);
  t.match(service.now, { motion: 'waiting', failure: { code: 'E_SAFETY_STOP', exit: 'safetyStop' } });
  t.match(service.now.words, /the hold failed: port gone; when nobody speaks: these servos have no deadline/);
  end.abort();
  await served;
});

t.test('a run that ends before it drives is no success', async t => {
  const { service, end, served } = serviceWith(async () => report({ kind: 'done', reason: 'the time is over' }, 0));
  await t.rejects(service.handle({ do: 'start' }), { code: 'E_ENDED_EARLY' });
  end.abort();
  await served;
});

t.test('the end of the service ends a run in order, and no other begins', async t => {
  const { service, end, served } = serviceWith(obedient);
  await service.handle({ do: 'start' });
  end.abort();
  await served;
  t.match(service.now.words, /interrupted/);
  await t.rejects(service.handle({ do: 'start' }), { code: 'E_SERVICE_ENDS' });
});

t.test('one that is to end before it began does nothing at all', async t => {
  const end = new AbortController();
  end.abort();
  const ticks: number[] = [];
  const service = new RobotService({
    clock: new TurningClock(),
    drive: obedient,
    ticked: count => ticks.push(count),
    say: () => {},
  });
  await service.serve(end.signal);
  t.same(ticks, []);
});
