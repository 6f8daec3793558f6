import { cpSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { startAvrRig } from '@sim2servo/hil-tests/rig/avr-rig';
import { startBroker } from '@sim2servo/hil-tests/rig/broker/start-broker';
import { startBusRig } from '@sim2servo/hil-tests/rig/bus/bus-rig';
import { freePort } from '@sim2servo/hil-tests/rig/free-port';
import { shippedRobotOn, shippedRobots } from '@sim2servo/models/robot-folder';
import t, { type Test } from 'tap';
import { errorOf, type Kill, kit, kitProcess, needsLinux, onSteadyRig, type Said } from '../test-io.js';

const folder = t.testdir({});
const remote = `${folder}/remote`;
const bundle = `${folder}/bundle`;

/** A copy of desk2 whose servos are on a broker. */
function onBroker(broker: string, more: object = {}): void {
  cpSync(`${shippedRobots}/desk2`, remote, { recursive: true });
  writeFileSync(
    `${remote}/site.json`,
    JSON.stringify({ format: 'sim2servo/site@1', bus: { kind: 'mqtt', broker, ...more } }),
  );
}

t.before(async () => {
  for (const line of [`train --steps 2064 --out ${folder}/run`, `export ${folder}/run ${bundle}`]) {
    const said = await kit(line);
    if (said.exit !== 0) throw new Error(said.err);
  }
});

t.test('what is wrong on the command line is said before anything is opened', async t => {
  onBroker('mqtt://127.0.0.1:1');
  for (const [line, code, message] of [
    ['', 'E_USAGE', /--broker/],
    ['--broker pi:1883', 'E_USAGE', /mqtt:\/\/HOST/],
    ['--broker mqtt://pi --name a/b', 'E_USAGE', /letters, digits/],
    ['--broker mqtt://pi', 'E_NO_PORT', /names a port/],
    ['--broker mqtt://pi --port /dev/x --deadline 900', 'E_DEADLINE', /900 ms/],
    ['--broker mqtt://pi --port /dev/x --deadline 10', 'E_DEADLINE', /10 ms/],
    ['--broker mqtt://pi --port /dev/x --cert a.crt', 'E_BROKER_FILE', /only one/],
    ['--broker mqtt://pi --port /dev/x --bus mqtt', 'E_USAGE', /kitlink, feetech, dynamixel/],
    ['--broker mqtt://pi --port /dev/x --bus feetech --robot desk2', 'E_BUS_KIND', /has a kitlink bus/],
    [`--broker mqtt://pi --port /dev/x --robot ${remote}`, 'E_BRIDGE_BUS', /behind a broker already/],
  ] as const) {
    const said = await kit(`bridge --json --yes ${line}`.trim().split(' '));
    t.equal(said.exit, 2, line);
    t.match(errorOf(said), { code, message }, line);
  }
});

t.test('a bridge says what it is about to allow, without the password, and asks', async t => {
  const line = 'bridge --json --port /dev/x --broker mqtts://me:secret@pi:8884 --name left';
  const unasked = await kit(line);
  t.equal(errorOf(unasked).code, 'E_NOT_CONFIRMED');
  t.match(unasked.err, 'whoever may write to kit/v1/left/command on mqtts://pi:8884 move desk2 on /dev/x');
  t.notMatch(unasked.err, /secret/);
  t.match(errorOf(await kit(`${line} --yes`)), { code: 'E_PORT_ABSENT', message: /\/dev\/x/ });
});

t.test('with a bus and no robot it is the shipped one; with both they fit', async t => {
  for (const [flags, robot] of [
    ['', 'desk2'],
    ['--bus kitlink', 'desk2'],
    ['--bus feetech', 'so101'],
    ['--bus dynamixel', 'koch'],
    ['--bus dynamixel --robot koch', 'koch'],
  ] as const) {
    const said = await kit(`bridge --json --port /dev/x --broker mqtt://pi ${flags}`.trim().split(' '));
    t.equal(errorOf(said).code, 'E_NOT_CONFIRMED', flags);
    t.match(said.err, `kit/v1/${robot}/command on mqtt://pi move ${robot} on /dev/x`, flags);
  }
});

t.test('a rate that the servos on the port cannot be sampled at is refused', needsLinux, async t => {
  const rig = await startBusRig({ robot: shippedRobotOn.feetech });
  t.teardown(() => rig.stop());
  const line = `bridge --json --yes --bus feetech --port ${rig.path} --broker mqtt://127.0.0.1:${await freePort()}`;
  for (const [rate, code] of [
    [5000, 'E_RATE_BUS'],
    [10, 'E_RATE_DEADLINE'],
    [50, 'E_BROKER_CONNECT'],
  ] as const) {
    const said = await onSteadyRig(
      () => kit(`${line} --rate ${rate}`),
      ({ out }) => out.includes(code),
    );
    t.match(errorOf(said), { code }, `${rate} Hz`);
  }
});

t.test('kit run on a broker at which nobody is, and with a port that it does not need', async t => {
  const port = await freePort();
  onBroker(`mqtt://127.0.0.1:${port}`);
  const line = `run --json --yes --robot ${remote} --policy ${bundle} --log ${folder}/none.mcap`;
  const nobody = await kit(line);
  t.equal(nobody.exit, 3);
  t.match(errorOf(nobody), { code: 'E_BROKER_CONNECT', message: `nothing listens on port ${port} of 127.0.0.1` });
  t.match(errorOf(await kit(`${line} --port /dev/ttyUSB0`)), { code: 'E_PORT_UNUSED', message: /\/dev\/ttyUSB0/ });
});

/** On a machine too busy for the deadlines a run is stopped; then it is begun again. */
const attempts = 8;

async function acrossBroker(t: Test): Promise<void> {
  const rig = await startAvrRig({ robot: 'desk2', imagePath: firmwareImage });
  const broker = await startBroker();
  t.teardown(async () => {
    await broker.stop();
    await rig.stop();
  });
  let endBridge: Kill = () => {};
  let words = '';
  const bridge: Promise<Said> = kitProcess(
    ['bridge', '--port', rig.path, '--broker', broker.url, '--discovery', '--yes'],
    {
      meanwhile: async process => {
        endBridge = process.kill;
      },
      onErr: text => {
        words = text;
      },
    },
  );
  for (const since = performance.now(); !words.includes('serves desk2') && performance.now() - since < 20_000; )
    await sleep(50);
  t.match(words, `serves desk2 on ${broker.url} as kit/v1/desk2/command`);

  onBroker(broker.url);
  const line = ['run', '--robot', remote, '--policy', bundle, '--yes', '--json', '--seconds', '2', '--log'];
  let said: Said | undefined;
  for (let attempt = 1; attempt <= attempts && said?.exit !== 0; attempt++)
    said = await kitProcess([...line, `${folder}/${attempt}.mcap`]);
  t.equal(said!.exit, 0, said!.err);
  t.match(said!.err, `About to move desk2 on ${broker.url} (as desk2)`);
  t.match(JSON.parse(said!.out), { end: { kind: 'done' }, ticks: Number });

  onBroker(broker.url, { name: 'desk3' });
  const none = `${folder}/none.mcap`;
  t.match(errorOf(await kit([...line, none])), { code: 'E_NO_BRIDGE', message: /kit\/v1\/desk3\/status/ });
  onBroker(broker.url.replace('mqtt:', 'mqtts:'), { ca: 'no-such-ca.pem' });
  t.match(errorOf(await kit([...line, none])), { code: 'E_BROKER_FILE', message: /remote\/no-such-ca\.pem/ });

  endBridge('SIGINT');
  const ended = await bridge;
  t.equal(ended.exit, 130);
  t.match(ended.out, /\d+ samples sent, .*\n\d+ commands obeyed, refused: /);
  t.match(ended.err, /armed for .*process \d+/);
  onBroker(broker.url);
  t.match(errorOf(await kit([...line, none])), { code: 'E_BRIDGE_GONE', message: /offline: it was ended/ });
}

t.test('kit run drives an arm behind kit bridge; wrong names and files are told apart', needsLinux, acrossBroker);
