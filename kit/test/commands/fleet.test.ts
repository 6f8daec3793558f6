/**
 * Twenty robots on one broker: agents, stores and broker are real. The first of them drives emulated servos, so that its verdicts are
 * those of a real loop.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RobotAgent } from '@sim2servo/deploy/agent/robot-agent';
import type { FleetReport } from '@sim2servo/deploy/fleet/deploy-fleet';
import type { RobotReport } from '@sim2servo/deploy/fleet/fleet-status';
import { serveMqtt } from '@sim2servo/deploy/robot/mqtt-agent';
import { startBroker } from '@sim2servo/hil-tests/rig/broker/start-broker';
import { shortDigest } from '@sim2servo/models/digest';
import { deployToFolder } from '@sim2servo/runtime/releases/deploy-to-folder';
import { openStore } from '@sim2servo/runtime/releases/release-store';
import t from 'tap';
import { putKey, robotCopy, useKeyFolder } from '../keys/key-folder.js';
import { louder, RobotFolder, writeVariant } from '../targets/bundles.js';
import { tried } from '../targets/tried.js';
import { errorOf, kit, kitProcess, needsLinux } from '../test-io.js';

const folder = t.testdir();
const at = (name: string) => join(folder, name);
const fleetFile = at('fleet.json');
const withFleet = `--fleet ${fleetFile}`;
const names = Array.from({ length: 20 }, (_, i) => `robot-${String(i + 1).padStart(2, '0')}`);
const drivenRobot = fileURLToPath(new URL('../targets/driven-robot.js', import.meta.url));
const [first, last] = [names[0]!, names.at(-1)!];

const digests = {
  old: writeVariant(at('old'), 0, 1),
  better: writeVariant(at('better'), 0, 1, { name: 'better' }),
  later: writeVariant(at('later'), 0, 1, { name: 'later' }),
  idle: writeVariant(at('idle'), 0, 1, { name: 'idle', ...(await louder(0)) }),
};

const storeOf = (name: string) => at(`store of ${name}`);

/** One robot without its arm: its agent on the broker. */
async function robotOn(broker: string, name: string) {
  const store = storeOf(name);
  const robot = new RobotFolder(at(`folder of ${name}`));
  const ended = new AbortController();
  let serves = () => {};
  const serving = new Promise<void>(resolve => {
    serves = resolve;
  });
  const served = serveMqtt({
    agent: new RobotAgent({ store, robot: robot.folder }),
    broker,
    name,
    signal: ended.signal,
    onEvent: what => what.startsWith('serves') && serves(),
  });
  await Promise.race([serving, served]);
  return {
    store,
    robot,
    /** What it drives with, or is to try. */
    newest() {
      const opened = openStore(store);
      return opened.state().trial?.digest ?? opened.current();
    },
    async stop() {
      ended.abort();
      await served;
    },
  };
}

t.test('twenty robots on one broker', needsLinux, async t => {
  const broker = await startBroker();
  t.after(() => broker.stop());
  for (const name of names) {
    await deployToFolder(at('old'), storeOf(name));
    tried(storeOf(name));
  }
  const robots = await Promise.all(names.map(name => robotOn(broker.url, name)));
  const driven = spawn(process.execPath, [drivenRobot, robots[0]!.store], { stdio: ['ignore', 'ignore', 'inherit'] });
  const over = once(driven, 'exit');
  t.after(async () => {
    driven.kill('SIGTERM');
    await over;
    await Promise.all(robots.map(robot => robot.stop()));
  });
  const inventory = Object.fromEntries(
    names.map((name, i) => [name, { to: `${broker.url}/${name}`, groups: [i < 10 ? 'lab' : 'hall'] }]),
  );
  writeFileSync(fleetFile, JSON.stringify({ format: 'sim2servo/fleet@1', robots: inventory }));
  const statuses = async () => JSON.parse((await kit(`fleet status ${withFleet} --json`)).out) as RobotReport[];
  const newest = () => robots.map(robot => robot.newest());
  const of = (digest: string, n: number) => Array.from({ length: n }, () => digest);
  while (driven.exitCode === null && (await statuses())[0]!.health !== 'driving') await sleep(200);

  await t.test('the broker knows how each of them is', async t => {
    const said = await kit(`fleet status ${withFleet}`);
    t.equal(said.exit, 0, said.out);
    const lines = said.out.split('\n');
    t.match(lines[1], new RegExp(`^${first} +driving +so101 +\\d+\\.\\d+\\.\\d+ +${shortDigest(digests.old)} +–$`));
    t.match(lines[2], /^robot-02 +ready /);
    t.equal(lines.at(-1), `20 of 20 robots answer; ${shortDigest(digests.old)} on 20`);
  });

  await t.test('nobody is asked, so nothing is done', async t => {
    const said = await kit(`fleet deploy ${at('better')} ${withFleet} --json`);
    t.equal(said.exit, 2);
    t.equal(errorOf(said).code, 'E_NOT_CONFIRMED');
    t.match(said.err, /^1 of 20 arms are driven just now \(robot-01\); better is tried on each/);
    t.same(newest(), of(digests.old, 20));
  });

  await t.test('a good policy: the canary tries it, then all have it', async t => {
    const said = await kit(`fleet deploy ${at('better')} ${withFleet} --canary 5 --at-once 5 --yes`);
    t.equal(said.exit, 0, said.err + said.out);
    t.match(said.err, /better .* to 20 robots; canaries, one after the other: robot-01; then 5 at once/);
    t.match(said.err, /\nrobot-01: committed: .* {2}\([\d.]+ s\)\nrobot-\d\d: waiting: /);
    t.match(said.out, /^robot +outcome\nrobot-01 +canary +committed .*\nrobot-02 +waiting /);
    t.match(said.out, /: 1 tried it and keep it; 19 will try it when they next drive$/);
    const [old, better] = [shortDigest(digests.old), shortDigest(digests.better)];
    const status = (await kit(`fleet status ${withFleet}`)).out.split('\n');
    t.match(status[1], new RegExp(`^${first} +driving .* ${better} +–$`));
    t.match(status[2], new RegExp(`^robot-02 +untried .* ${old}, tries ${better} +–$`));
    t.match(status.at(-1), new RegExp(`answer; (?:${better} on 1, ${old} on 19|${old} on 19, ${better} on 1)$`));
    t.same(newest(), of(digests.better, 20));
  });

  await t.test('a bad one: the canary undoes it, and no other robot ever sees it', async t => {
    const said = await kit(`fleet deploy ${at('idle')} ${withFleet} --canary 10% --yes --json`);
    t.equal(said.exit, 1, said.err);
    const { robots: outcomes, stoppedAt } = JSON.parse(said.out) as FleetReport;
    t.same(stoppedAt, [first]);
    t.match(outcomes[0], { outcome: 'rolled-back', canary: true });
    t.ok(outcomes.slice(1).every(({ outcome }) => outcome === 'left'));
    t.same(newest(), of(digests.better, 20));
    t.notOk(
      robots.slice(1).some(({ store }) =>
        openStore(store)
          .history()
          .some(({ digest }) => digest === digests.idle),
      ),
    );
    while ((await statuses())[0]!.lastError === undefined) await sleep(200);
    t.match((await statuses())[0], { health: 'driving', lastError: { code: 'E_DEPLOY_ROLLED_BACK' } });
    const again = JSON.parse((await kit(`fleet deploy ${at('idle')} ${withFleet} --yes --json`)).out) as FleetReport;
    t.match(again, { stoppedAt: [first], robots: [{ error: { code: 'E_BUNDLE_BAD' } }, { outcome: 'left' }] });
  });

  await t.test('a group is meant alone; the first of it that refuses is where it stops', async t => {
    const key = Buffer.concat([Buffer.from('Ed'), Buffer.alloc(40, 7)]).toString('base64');
    robots[11]!.robot.trust([key]);
    const said = await kit(`fleet deploy ${at('later')} ${withFleet} --group hall --at-once 1 --yes`);
    t.equal(said.exit, 1, said.err);
    t.match(said.out, /robot-11 +canary +waiting .*\nrobot-12 +failed .*not signed.*\nrobot-13 +left +as it was\n/);
    t.match(said.out, new RegExp(`stopped at robot-12: see kit deploy history --to ${broker.url}/robot-12`));
    t.same(newest(), [...of(digests.better, 10), digests.later, ...of(digests.better, 9)]);
    robots[11]!.robot.trust([]);
    const again = await kit(`fleet deploy ${at('later')} ${withFleet} --group hall --yes --json`);
    t.equal(again.exit, 0, again.out);
    t.same(newest(), [...of(digests.better, 10), ...of(digests.later, 10)], 'it went on where it had stopped');
  });

  await t.test('Ctrl-C begins no other robot, says what is so on each, and the same command goes on', async t => {
    let told = false;
    const said = await kitProcess(`fleet deploy ${at('later')} ${withFleet} --group lab --yes --json`.split(' '), {
      onErr(text, kill) {
        if (told || !text.includes('canaries, one after the other')) return;
        told = true;
        kill('SIGINT');
      },
    });
    t.equal(said.exit, 130, said.err);
    const { robots: outcomes, stoppedAt } = JSON.parse(said.out) as FleetReport;
    t.same(stoppedAt, []);
    t.ok(outcomes.some(({ outcome }) => outcome === 'left'));
    const again = await kit(`fleet deploy ${at('later')} ${withFleet} --group lab --yes`);
    t.equal(again.exit, 0, again.out);
    t.same(newest(), of(digests.later, 20));
  });

  await t.test('one that is gone is missed before any other is touched', async t => {
    await robots[19]!.stop();
    const said = await kit(`fleet status ${withFleet} --group hall`);
    t.equal(said.exit, 3);
    t.match(said.out, /robot-20 +absent .* it is offline: the agent was ended\n9 of 10 robots answer/);
    const before = newest();
    const refused = await kit(`fleet deploy ${at('old')} ${withFleet} --group hall --json`);
    t.equal(refused.exit, 3);
    t.match(errorOf(refused), { code: 'E_FLEET_ABSENT', hint: new RegExp(`--without ${last}$`) });
    t.same(newest(), before);
    const nine = await kit(`fleet deploy ${at('better')} ${withFleet} --group hall --without ${last} --yes`);
    t.equal(nine.exit, 0, nine.out);
    t.match(nine.out, /: 9 will try it/);
  });

  await t.test('the one that drives has driven all the while', async t => {
    driven.kill('SIGTERM');
    t.same(await over, [0, null]);
  });
});

t.test(
  '--sign signs once, for all of them: robots that trust the key take it, over whatever they are reached',
  async t => {
    const keys = useKeyFolder(t);
    mkdirSync(keys);
    const { id } = await putKey(keys, 'bench');
    const robot = robotCopy(t.testdirName);
    t.equal((await kit(`keys trust bench --robot ${robot}`)).exit, 0);
    const bundle =
      writeVariant(join(t.testdirName, 'signed'), 0, 1, { name: 'signed' }) && join(t.testdirName, 'signed');
    const robots = Object.fromEntries(['a', 'b', 'c'].map(name => [name, { to: name, robot }]));
    for (const name of Object.keys(robots)) mkdirSync(join(t.testdirName, name));
    const own = join(t.testdirName, 'own.json');
    writeFileSync(own, JSON.stringify({ format: 'sim2servo/fleet@1', robots }));
    const refused = await kit(`fleet deploy ${bundle} --fleet ${own} --yes`);
    t.equal(refused.exit, 1);
    t.match(refused.out, /^a +canary +failed .*not signed/m);
    t.match(refused.out, new RegExp(`see kit deploy history --to ${join(t.testdirName, 'a')} --robot ${robot}`));
    const said = await kit(`fleet deploy ${bundle} --fleet ${own} --sign bench --yes`);
    t.equal(said.exit, 0, said.err + said.out);
    t.match(said.err, new RegExp(`with key ${id} \\(bench\\), sequence \\d+`));
    t.match(said.out, /: 3 had it already$|: 3 will try it when they next drive$/);
  },
);

t.test('what is wrong is said before anybody is called', async t => {
  const own = join(t.testdir(), 'own.json');
  mkdirSync(join(t.testdirName, 'store'));
  const robots = { a: { to: join(t.testdirName, 'store'), groups: ['lab'], robot: 'desk2' } };
  writeFileSync(own, JSON.stringify({ format: 'sim2servo/fleet@1', robots }));
  for (const [line, code, exit] of [
    ['fleet list --fleet nowhere.json', 'E_FLEET_FILE', 2],
    [`fleet list --fleet ${own} --group hall`, 'E_FLEET_GROUP', 2],
    [`fleet status --fleet ${own} --without b`, 'E_FLEET_ROBOT', 2],
    [`fleet status --fleet ${own} --without a`, 'E_FLEET_EMPTY', 2],
    [`fleet deploy ${at('nowhere')} --fleet ${own}`, 'E_POLICY_MISSING', 2],
    [`fleet deploy ${at('old')} --fleet ${own}`, 'E_FLEET_MIXED', 2],
    [`fleet deploy ${at('old')} --fleet ${own} --canary 0`, 'E_USAGE', 2],
    [`fleet deploy ${at('old')} --fleet ${own} --canary ten`, 'E_USAGE', 2],
    [`fleet deploy ${at('old')} --fleet ${own} --at-once 0`, 'E_USAGE', 2],
  ] as const) {
    const said = await kit(`${line} --json`);
    t.equal(errorOf(said).code, code, line);
    t.equal(said.exit, exit, line);
  }
  t.match(await kit(`fleet list --fleet ${own}`), { exit: 0, out: /^robot +at +groups\na +.*store +lab$/ });
});
