/** Looking at servos, and giving one another address, on emulated ones behind a real port. */
import { setTimeout as sleep } from 'node:timers/promises';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { startAvrRig } from '@sim2servo/hil-tests/rig/avr-rig';
import { type BusRig, startBusRig } from '@sim2servo/hil-tests/rig/bus/bus-rig';
import t from 'tap';
import { errorOf, kit, kitProcess, needsLinux, onSteadyRig, type Said } from '../test-io.js';

interface Line {
  readonly time: string;
  readonly state?: string;
  readonly servos: readonly Record<string, unknown>[];
}
const linesOf = (out: string): Line[] => out.split('\n').map(line => JSON.parse(line) as Line);
const baudRate = 1_000_000;
/** Whether the last look found so many servos. */
const found = (servos: number) => (said: Said) =>
  said.exit === 0 &&
  linesOf(said.out)
    .at(-1)!
    .servos.filter(({ answers }) => answers).length === servos;

t.test('what is not said, or said twice, is asked for before a port is opened', async t => {
  for (const [line, code] of [
    ['monitor --port /dev/x', 'E_BUS_UNNAMED'],
    ['monitor --robot so101 --kind feetech --port /dev/x', 'E_BUS_UNNAMED'],
    ['monitor --kind feetech', 'E_NO_PORT'],
    ['monitor --robot so101', 'E_NO_PORT'],
    ['monitor --robot so101 --ids 1-3 --port /dev/x', 'E_USAGE'],
    ['monitor --kind feetech --ids 1-253 --port /dev/x', 'E_USAGE'],
    ['monitor --kind feetech --ids 3-1 --port /dev/x', 'E_USAGE'],
    ['set-id --robot desk2 --from 1 --to 2 --port /dev/x', 'E_BUS_KIND'],
    ['set-id --kind feetech --from 1 --port /dev/x', 'E_USAGE'],
    ['set-baud --kind feetech --id 1 --to fast --port /dev/x', 'E_USAGE'],
  ] as const) {
    const said = await kit(`--json device ${line}`);
    t.equal(said.exit, 2, line);
    t.equal(errorOf(said).code, code, line);
  }
});

t.test('a robot on its bus: a line for each look, with angles, and who is silent', needsLinux, async t => {
  const rig = await startBusRig({ kind: 'feetech', servos: 5, baudRate });
  t.teardown(() => rig.stop());
  await rig.tell({ kind: 'turn', servo: 0, counts: 3072 });
  const args = `device monitor --robot so101 --port ${rig.path} --rate 50 --samples 3`;
  const said = await onSteadyRig(() => kit(`--json ${args}`), found(5));
  t.equal(said.exit, 0, said.err);
  const lines = linesOf(said.out);
  t.equal(lines.length, 3);
  const [pan, , , , , gripper] = lines[2]!.servos;
  t.match(pan, { id: 1, joint: 'shoulder-pan', answers: true, positionCounts: 3072, torque: false, fault: '' });
  t.ok(Math.abs((pan!.positionRad as number) - Math.PI / 2) < 0.002);
  t.match(pan, { voltageV: 12, temperatureC: 32, currentMa: 0, loadPercent: 0, speedRadPerS: 0 });
  t.same(gripper, { id: 6, joint: 'gripper', model: 'sts3215', answers: false });
  const words = (
    await onSteadyRig(
      () => kit(args),
      ({ out }) => /1 sh.*ok\n(.*\n)*?.*no answer/.test(out),
    )
  ).out;
  t.match(words, /servo +rad +count +rad\/s +load % +mA +V +°C +torque +state/);
  t.match(words, /1 shoulder-pan +1\.571 +3072 .* off +ok/);
  t.match(words, /6 gripper .*no answer/);
  t.same((await rig.report()).torque, [0, 0, 0, 0, 0], 'nobody got torque');
});

t.test('without a robot: those that answer; Ctrl-C ends it', needsLinux, async t => {
  const rig = await startBusRig({ kind: 'dynamixel', servos: 2, baudRate });
  t.teardown(() => rig.stop());
  const args = `--json device monitor --kind dynamixel --ids 1-3,200 --port ${rig.path} --samples 1`;
  const said = await onSteadyRig(() => kit(args), found(2));
  t.match(linesOf(said.out)[0]!.servos, [
    { id: 1, model: 'xl330-m288', positionCounts: 2048 },
    { id: 2, model: 'xl330-m288', positionCounts: 2048 },
  ]);
  t.equal(linesOf(said.out)[0]!.servos[0]!.positionRad, undefined, 'nobody knows where 0 rad is');
  const wrong = await kit(`--json device monitor --kind feetech --port ${rig.path}`);
  t.equal(wrong.exit, 3);
  t.match(errorOf(wrong), { code: 'E_NO_ANSWER', message: /no feetech servo answers .* at 1000000 baud/ });
  const endless = await onSteadyRig(
    async () => {
      const { nowUs } = await rig.report();
      return kitProcess(['device', 'monitor', '--kind', 'dynamixel', '--port', rig.path], {
        meanwhile: async ({ running, kill }) => {
          while (running() && (await rig.report()).lastHostByteUs < nowUs) await sleep(100);
          await sleep(500);
          kill('SIGINT');
        },
      });
    },
    ({ exit }) => exit === 130,
  );
  t.equal(endless.exit, 130, endless.err);
});

t.test('a board tells what it knows: potentiometers and pulses, and that it is limp', needsLinux, async t => {
  const rig = await startAvrRig({ robot: 'desk2', imagePath: firmwareImage });
  t.teardown(() => rig.stop());
  const said = await kit(`--json device monitor --robot desk2 --port ${rig.path} --samples 2`);
  t.equal(said.exit, 0, said.out + said.err);
  const [, line] = linesOf(said.out);
  t.match(line!.state, 'the board is limp');
  t.match(line!.servos, [
    { joint: 'shoulder', torque: false, pulseUs: 0 },
    { joint: 'elbow', torque: false, pulseUs: 0 },
  ]);
  t.type(line!.servos[0]!.positionRad, 'number');
});

t.test('a servo is given another id after a yes, and found there', needsLinux, async t => {
  for (const kind of ['feetech', 'dynamixel'] as const) {
    let rig!: BusRig;
    // Each time on servos that have their old ids.
    const setId = (flags: string, code?: string) =>
      onSteadyRig(
        async () => {
          const own = await startBusRig({ kind, servos: 3, baudRate });
          t.teardown(() => own.stop());
          rig = own;
          return kit(`--json device set-id --kind ${kind} --port ${rig.path} --from 3 ${flags}`);
        },
        said => (code === undefined ? said.exit === 0 : said.out.includes(code)),
      );
    const unasked = await setId('--to 9', 'E_NOT_CONFIRMED');
    t.equal(errorOf(unasked).code, 'E_NOT_CONFIRMED');
    t.match(unasked.err, /About to give servo 3 \(.*\) on .* the id 9\.\n.*connect only the one/);
    t.equal(errorOf(await setId('--to 2 --yes', 'E_ID_TAKEN')).code, 'E_ID_TAKEN');
    const said = await setId('--to 9 --yes');
    t.equal(said.exit, 0, said.out);
    const monitor = `--json device monitor --kind ${kind} --ids 1-10 --port ${rig.path} --samples 1`;
    const seen = await onSteadyRig(() => kit(monitor), found(3));
    t.same(
      linesOf(seen.out)[0]!.servos.map(({ id }) => id),
      [1, 2, 9],
    );
  }
});

t.test('a servo is given another baud rate after a yes, and found there alone', needsLinux, async t => {
  for (const kind of ['feetech', 'dynamixel'] as const) {
    let rig!: BusRig;
    const said = await onSteadyRig(
      async () => {
        const own = await startBusRig({ kind, servos: 2, baudRate });
        t.teardown(() => own.stop());
        rig = own;
        return kit(`--json device set-baud --kind ${kind} --port ${rig.path} --id 1 --to 115200 --yes`);
      },
      ({ exit }) => exit === 0,
    );
    t.equal(said.exit, 0, said.out);
    t.match(said.err, 'About to set servo 1 (');
    for (const [rate, id] of [
      [115_200, 1],
      [baudRate, 2],
    ] as const) {
      const monitor = `--json device monitor --kind ${kind} --ids 1-2 --port ${rig.path} --samples 1 --baud ${rate}`;
      const seen = await onSteadyRig(() => kit(monitor), found(1));
      t.same(
        linesOf(seen.out)[0]!.servos.map(({ id: there }) => there),
        [id],
        `${kind} at ${rate}`,
      );
    }
    const nobody = await kit(`--json device monitor --kind ${kind} --ids 1-2 --port ${rig.path} --baud 57600`);
    t.match(errorOf(nobody), { code: 'E_NO_ANSWER', message: /at 57600 baud/ });
  }
});
