import { loadRobot } from '@sim2servo/models/robot-folder';
import { silenceMs } from '@sim2servo/models/site';
import t from 'tap';
import { safetyScenarios } from '../../src/scenarios/safety-scenarios.js';

const robot = loadRobot('desk2');
const periodMs = 20;
/** The deadline, the period in which it fell, and one for the pulse that was on its way. */
const stopMs = silenceMs(robot.site.bus) + 2 * periodMs;

/** What the board must say of itself, and why. */
const words: Record<string, { device: string; reason: RegExp }> = {
  'the host is killed': { device: 'latched', reason: /no motion command came in time/ },
  'the host freezes and comes back': { device: 'latched', reason: /no motion command came in time/ },
  'the cable is pulled': { device: 'silent', reason: /nothing is heard/ },
  'the board is reset': { device: 'silent', reason: /nothing is heard/ },
  'every byte is corrupted': { device: 'latched', reason: /no motion command came in time/ },
  'the receiver is flooded': { device: 'latched', reason: /no motion command came in time/ },
  'old frames are replayed': { device: 'latched', reason: /no motion command came in time/ },
  'a frame of an older session': { device: 'latched', reason: /no motion command came in time/ },
  'a motion without the nonce of this arming': { device: 'latched', reason: /no motion command came in time/ },
  'a command far outside the limits': { device: 'latched', reason: /far outside the limits/ },
  'the host asks to hold': { device: 'held', reason: /host asked/ },
  'the host asks to relax': { device: 'limp', reason: /host asked/ },
};

for (const scenario of safetyScenarios)
  t.test(`${scenario.name}: the arm is ${scenario.arm} within the deadline, and the board says why`, async t => {
    const outcome = await scenario.run(robot);
    const expected = words[scenario.name];
    t.ok(expected, 'the scenario is known here');
    t.equal(outcome.arm, scenario.arm, outcome.detail);
    t.ok(
      outcome.settledMs <= stopMs,
      `pulses changed for ${outcome.settledMs.toFixed(1)} ms, at most ${stopMs} may go by`,
    );
    t.equal(outcome.device, expected!.device);
    t.match(outcome.reason, expected!.reason);
  });

t.test('corruption and overruns are counted', async t => {
  const outcomeOf = (name: string) => safetyScenarios.find(scenario => scenario.name === name)!.run(robot);
  t.ok((await outcomeOf('every byte is corrupted')).linkErrors > 0);
  t.match((await outcomeOf('the receiver is flooded')).detail, /[1-9]\d* overruns/);
});

t.test('the same fault gives the same pulses every time', async t => {
  const [first] = safetyScenarios;
  t.same(await first!.run(robot), await first!.run(robot));
});
