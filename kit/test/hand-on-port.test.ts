/** `kit teleop`, `record` and `replay` as processes on real ports: what moves, what stops it, and what is left of it. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, cpSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { startAvrRig } from '@sim2servo/hil-tests/rig/avr-rig';
import { startBusRig } from '@sim2servo/hil-tests/rig/bus/bus-rig';
import { PseudoTerminal } from '@sim2servo/hil-tests/rig/pseudo-terminal';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { readLog } from '@sim2servo/runtime/log-reader';
import { logInfo } from '@sim2servo/runtime/logs';
import { importLogs } from '@sim2servo/train/replay/log-import';
import t from 'tap';
import { errorOf, type Kill, kit, kitProcess, needsLinux, type Said } from './test-io.js';

const folder = t.testdir({});

/** A desk2 that lets a busy machine be late: what is tested here is who moves it, not how punctually. */
function patientRobot(): string {
  const path = `${folder}/patient`;
  cpSync(loadRobot('desk2').folder, path, { recursive: true });
  const change = (file: string, part: 'safety' | 'bus', values: object) => {
    const all = JSON.parse(readFileSync(`${path}/${file}`, 'utf8')) as Record<string, object>;
    writeFileSync(`${path}/${file}`, JSON.stringify({ ...all, [part]: { ...all[part], ...values } }));
  };
  change('robot.json', 'safety', { staleTicks: 100 });
  change('site.json', 'bus', { deadlineMs: 500 });
  return path;
}

/** The same arm with bus servos, for a hand to move. */
function busLeader(): string {
  const path = `${folder}/leader`;
  cpSync(patient, path, { recursive: true });
  const servo = (joint: string, id: number, zeroCount: number, direction: number) => ({
    kind: 'feetech',
    model: 'sts3215',
    joint,
    id,
    zeroCount,
    direction,
  });
  const site = {
    format: 'sim2servo/site@1',
    bus: { kind: 'feetech' },
    servos: [servo('shoulder', 1, 2048, 1), servo('elbow', 2, 3000, -1)],
  };
  writeFileSync(`${path}/site.json`, JSON.stringify(site));
  return path;
}

const patient = patientRobot();
const { spec } = loadRobot(patient);
/** On a machine too busy for the deadlines a run is stopped; then it is begun again. */
const attempts = 8;
const safetyStop = 4;
/** By the host, or by the board's own deadline where the machine was too busy for it. */
const held = /^(?:held|latched)$/;
let logs = 0;

/** A gamepad behind a named pipe whose stick points one way. */
function gamepad() {
  const path = `${folder}/js${++logs}`;
  execFileSync('mkfifo', [path]);
  const writer = openSync(path, constants.O_RDWR);
  const say = (kind: number, number: number, value: number) => {
    const event = Buffer.alloc(8);
    event.writeInt16LE(value, 4);
    event[6] = kind;
    event[7] = number;
    writeSync(writer, event);
  };
  return {
    path,
    hold: (held: boolean) => say(1, 4, held ? 1 : 0),
    push: (axis: number, value: number) => say(2, axis, value),
    unplug: () => closeSync(writer),
  };
}

t.test('on the virtual board', needsLinux, async t => {
  const rig = await startAvrRig({ robot: patient, imagePath: firmwareImage });
  t.teardown(() => rig.stop());
  const armed = async (running: () => boolean) => {
    while (running() && (await rig.report()).device !== 'armed') await sleep(30);
    await sleep(1200);
  };
  /** A run in whose motion `act` is called, begun again where the machine was too busy. */
  const run = async (args: () => string[], act: (kill: Kill) => void | Promise<void>, stdin?: number) => {
    for (let attempt = 1; ; attempt++) {
      const log = `${folder}/${++logs}.mcap`;
      let acted = false;
      const said: Said = await kitProcess([...args(), '--robot', patient, '--port', rig.path, '--yes', '--log', log], {
        ...(stdin !== undefined && { stdin }),
        async meanwhile(process) {
          await armed(process.running);
          if (!process.running()) return;
          acted = true;
          await act(process.kill);
        },
      });
      if (acted && said.exit !== safetyStop) return { ...said, log };
      if (attempt === attempts) throw new Error(`no run came into motion: ${said.err}`);
    }
  };

  await t.test('a gamepad moves the arm while its button is held; unplugged, the arm is held', async t => {
    let pad = gamepad();
    const said = await run(
      () => {
        pad = gamepad();
        pad.push(0, -32_767);
        return ['teleop', '--gamepad', pad.path, '--speed', '0.1'];
      },
      async () => {
        pad.hold(true);
        await sleep(1000);
        pad.unplug();
      },
    );
    t.equal(said.exit, 3);
    t.match(said.err, /E_GAMEPAD_GONE/);
    t.match(said.err, /the arm was told to hold, and holds/);
    t.match((await rig.report()).device, held);
    const targets: number[] = [];
    readLog(said.log, { record: ({ target }) => targets.push(target[0]!) });
    t.ok(targets.at(-1)! - targets[0]! > 0.05, `it moved ${targets.at(-1)! - targets[0]!} rad`);
    t.ok(logInfo(said.log).complete);
    t.match(logInfo(said.log).header, { drivenBy: 'gamepad', policyDigest: '' });
  });

  await t.test(
    'keys in a real terminal: they move the arm, Ctrl-C holds it, and the terminal is itself again',
    async t => {
      const terminal = await PseudoTerminal.open();
      const stdin = openSync(terminal.path, constants.O_RDWR | constants.O_NOCTTY);
      let key: string | undefined;
      const modes: string[] = [];
      const timer = setInterval(() => {
        terminal.poll(() => {});
        if (key !== undefined) terminal.write(new TextEncoder().encode(key));
      }, 30);
      const stty = () => execFileSync('stty', ['-a', '-F', terminal.path], { encoding: 'utf8' });
      const said = await run(
        () => {
          key = undefined;
          return ['teleop', '--keyboard'];
        },
        async () => {
          modes.push(stty());
          key = '2';
          await sleep(500);
          key = '\x03';
        },
        stdin,
      );
      key = undefined;
      modes.push(stty());
      clearInterval(timer);
      closeSync(stdin);
      terminal.hangUp();
      t.match(modes[0], /-icanon/, 'single keys');
      t.match(modes[1], / icanon/);
      t.match(modes[1], / echo /);
      t.equal(said.exit, 130);
      t.match(said.out, /^interrupted: .*\nthe arm was told to hold, and holds/);
      const targets: number[] = [];
      readLog(said.log, { record: ({ target }) => targets.push(target[1]!) });
      t.ok(targets.at(-1)! - targets[0]! > 0.05, `it moved ${targets.at(-1)! - targets[0]!} rad`);
    },
  );

  await t.test('a leader on a bus of its own: the arm comes to it and follows; unplugged, the arm is held', async t => {
    const folder = busLeader();
    let leader = await startBusRig({ robot: folder });
    t.teardown(() => leader.stop());
    for (let attempt = 1; ; attempt++) {
      const said = await run(
        () => ['teleop', '--leader', leader.path, '--leader-robot', folder],
        async () => {
          t.same((await leader.report()).torque, [0, 0], 'the leader is limp');
          await leader.tell({ kind: 'hangUp' });
        },
      );
      t.equal(said.exit, 3);
      t.match(said.err, /the arm was told to hold, and holds/);
      t.match((await rig.report()).device, held);
      // A machine may be too busy for the leader, too: that is silence.
      if (/E_LEADER_GONE/.test(said.err)) break;
      t.match(said.err, /E_LEADER_SILENT/);
      if (attempt === attempts) throw new Error(`the leader was never there: ${said.err}`);
      await leader.stop();
      leader = await startBusRig({ robot: folder });
    }
  });

  let demonstrations = '';
  await t.test('demonstrations of a gamepad: a log to learn from, and no raw one', async t => {
    let pad = gamepad();
    const said = await run(
      () => {
        pad = gamepad();
        const each = ['--episodes', '2', '--seconds', '0.8', '--reset', '0.2'];
        return ['record', '--json', '--gamepad', pad.path, '--speed', '0.1', ...each];
      },
      async () => {
        pad.hold(true);
        for (const value of [-32_767, 32_767, -32_767, 32_767]) {
          pad.push(0, value);
          await sleep(250);
        }
      },
    );
    demonstrations = said.log;
    t.equal(said.exit, 0, said.err);
    const result = JSON.parse(said.out) as {
      demonstrations: { episodes: number; records: number };
      thrownAway: number;
    };
    t.match(result, { end: { kind: 'done' }, demonstrations: { episodes: 2 }, thrownAway: 0, raw: undefined });
    t.notOk(existsSync(`${said.log}.raw`));
    const info = logInfo(said.log);
    t.ok(info.complete);
    t.equal(info.records, result.demonstrations.records);
    const imported = importLogs([said.log], spec, taskNamed('reach'));
    t.equal(imported.episodes, 2);
    const { gap, stale, late } = imported.skipped;
    t.ok(imported.transitions > 0);
    t.equal(
      imported.transitions + gap + stale + late,
      info.records - 2,
      'each pair is learnt from, or left out for a reason',
    );

    const raw = `${folder}/killed.mcap.raw`;
    cpSync(said.log, raw);
    const finished = await kit(`record --json --robot ${patient} --finish ${raw}`);
    t.match(JSON.parse(finished.out), { demonstrations: { path: `${folder}/killed.mcap`, episodes: 2 }, raw });
    const records = (path: string) => {
      const all: unknown[] = [];
      readLog(path, { record: record => all.push(record) });
      return all;
    };
    t.same(records(`${folder}/killed.mcap`), records(said.log), 'of a recording that was killed the same is made');
  });

  await t.test('a replay repeats them, and says how far it was from then', async t => {
    const said = await run(
      () => ['replay', demonstrations, '--json', '--speed', '0.5'],
      () => {},
    );
    t.equal(said.exit, 0, said.err);
    t.match(said.err, /as in .*: 2 episodes, \d\.\d s at 0\.5 of the recorded rate of 50 Hz/);
    const { deviations, targets } = JSON.parse(said.out) as {
      deviations: { joint: string; rmsRad: number; maxRad: number }[];
      targets: unknown[];
    };
    t.equal(targets.length, 2);
    t.same(
      deviations.map(({ joint }) => joint),
      ['shoulder', 'elbow'],
    );
    for (const { joint, rmsRad, maxRad } of deviations)
      t.ok(rmsRad < 0.05 && maxRad < 0.15, `${joint}: ${rmsRad} rad rms, ${maxRad} rad at most`);
  });

  await t.test('a log of another robot, and one that was cut off, move nothing', async t => {
    const cut = `${folder}/cut.mcap`;
    writeFileSync(cut, readFileSync(demonstrations).subarray(0, -100));
    for (const [path, robot, code] of [
      [demonstrations, 'koch', 'E_LOG_ROBOT'],
      [cut, patient, 'E_LOG_CUT'],
    ] as const) {
      const said = await kitProcess(['replay', path, '--robot', robot, '--port', rig.path, '--yes', '--json']);
      t.equal(said.exit, 2);
      t.equal(errorOf(said).code, code);
    }
  });
});
