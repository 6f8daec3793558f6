/** Foreign clients on the rig, none of them ours: they must not notice that the servos are emulated. `npm run conformance`. */
import t from 'tap';
import { foreignClient, lacks } from '../support/foreign-client.js';

const sdk = lacks('scservo_sdk');
const lerobot = lacks('lerobot.motors.feetech');
/** Two counts of lag, and the encoder's last. */
const near = (counts: readonly number[], goals: readonly number[]): boolean =>
  counts.length === goals.length && counts.every((count, i) => Math.abs(count - goals[i]!) <= 4);

if (sdk !== false) t.comment(`left out: ${sdk}`);
if (lerobot !== false) t.comment(`left out: ${lerobot}`);

if (sdk === false)
  t.test("Feetech's SDK pings, reads, writes, sync-writes, sync-reads, and keeps writes for an action", async t => {
    const { end, ...said } = await foreignClient<{ end: number[] }>('feetech', 'feetech_sdk.py');
    t.same(said, { models: Array(6).fill(777), start: Array(6).fill(2048), waiting: 1, done: 0 });
    t.ok(near(end, [2098, 2148, 2198, 2248, 2298, 2348]), `it ends at ${end}`);
  });

if (lerobot === false)
  t.test("LeRobot's driver connects, configures, homes, calibrates, moves", async t => {
    const { end, ...said } = await foreignClient<{ end: number[] }>('feetech', 'lerobot_feetech.py');
    t.same(said, { same: true, temperature: Array(6).fill(32) });
    t.ok(near(end, Array(6).fill(2200)), `it ends at ${end}`);
  });

t.test('what is left out is named', async t => {
  t.match(lacks('a_module_that_nobody_has'), /KIT_PYTHON|a_module_that_nobody_has/);
});
