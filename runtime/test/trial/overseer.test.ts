import t from 'tap';
import { TickCounters } from '../../src/tick-counters.js';
import { DriveRing, driveRing } from '../../src/trial/drive-ring.js';
import { DriveOverseer, type OverseerOptions } from '../../src/trial/overseer.js';
import { functionPolicy, robot } from '../support/arm-fixture.js';

const policy = functionPolicy(() => {});
const memory = driveRing({ observation: policy.observation.length, joints: robot.spec.joints.length }, 64);
const overseer = (options: Partial<OverseerOptions> = {}) =>
  new DriveOverseer({ memory, policy, controlRateHz: 50, serial: 0, share: 1, virtualTime: false, ...options });
const counters = new TickCounters();

t.test('the share goes to where it is wanted in steps: half a second for all of it', async t => {
  const found = overseer();
  found.drivenBy(1, 0.3);
  const shares = Array.from({ length: 20 }, () => {
    found.ticked(counters, 1);
    return Number(found.share.toFixed(3));
  });
  t.same(shares.slice(0, 3), [0.96, 0.92, 0.88]);
  t.same(shares.slice(-3), [0.3, 0.3, 0.3]);
  found.goAt(1);
  found.ticked(counters, 1);
  t.equal(Number(found.share.toFixed(3)), 0.34);
  t.equal(overseer({ share: 0.3 }).share, 0.3, 'a run that begins with a trial begins slowly');
});

t.test('each tick is shown, with who drove', async t => {
  const ring = new DriveRing(memory);
  while (ring.shift() !== undefined);
  const found = overseer({ serial: 7 });
  policy.observation[0] = 0.5;
  policy.action[1] = -0.25;
  found.ticked(counters, 33);
  t.match(ring.shift(), { serial: 7, inferUs: 33, observation: { 0: 0.5 }, action: { 1: -0.25 } });
  found.drivenBy(8, 1);
  found.ticked(counters, 33);
  t.match(ring.shift(), { serial: 8 });
});

t.test('a full ring is never waited for on a real clock, nor a thread that is gone on any', async t => {
  const found = overseer({ virtualTime: true });
  found.unwatched();
  for (let i = 0; i < 200; i++) found.ticked(counters, 1);
  t.ok(new DriveRing(memory).dropped > 0);
  found.close();
  t.ok(new DriveRing(memory).closing);
});
