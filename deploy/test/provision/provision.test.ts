/** A robot is provisioned for real, over a real ssh server, below a folder instead of `/`; then again; then away. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedRobot, loadRobot, shippedRobots } from '@sim2servo/models/robot-folder';
import t, { type Test } from 'tap';
import { knownPlatform } from '../../src/provision/platforms.js';
import {
  budgets,
  carryOut,
  measureInstalled,
  type Place,
  type ProvisionOptions,
  planProvision,
  planUninstall,
  type StepResult,
  scriptOf,
  skipReason,
} from '../../src/provision/provision.js';
import {
  type PackageOptions,
  packageRuntime,
  type RuntimePackage,
  unpackedBytes,
} from '../../src/provision/runtime-package.js';
import { sshTargetOf } from '../../src/provision/target-shell.js';
import { robotPlaces } from '../../src/robot/robot-places.js';
import { DatagramReceiver } from '../support/datagram-receiver.js';
import { deployShipped, drivingState, robotProgram, startService } from '../support/installed.js';
import { runtimeKey } from '../support/runtime-key.js';
import { hasOpenSsh, startSshServer } from '../support/ssh-server.js';

const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? '';
const own = knownPlatform({ system: process.platform, machine, musl: false, bits: 64 });
const robot = loadRobot('so101');
const made = new Map<string, Promise<RuntimePackage>>();
/** Each package once: making one takes seconds. */
function packaged(options: PackageOptions): Promise<RuntimePackage> {
  const { wasm = false, ownNode = false, sign } = options;
  const key = `${wasm} ${ownNode}`;
  const runtime = (sign === undefined ? made.get(key) : undefined) ?? packageRuntime(options);
  if (sign === undefined) made.set(key, runtime);
  return runtime;
}
const common = { robot, port: '/dev/ttyUSB0', packaged };
/** All of it, this Node instead of the one from npm: without the network. */
const whole = { ...common, nodePath: process.execPath };
/** A tenth of it: without Node, inference in WebAssembly. */
const slim = { ...common, ownNode: true, wasm: true };

/** However long an inference takes: the machine may do something else meanwhile. */
const checked = (program: readonly string[]) => robotProgram(['check', '--share', '1000'], program);

/** Short, since a socket lies in it. */
function freshRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'root-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

async function carriedOut(plan: Parameters<typeof carryOut>[0]) {
  const steps: StepResult[] = [];
  const sent = await carryOut(
    plan,
    step => steps.push(step),
    () => {},
  );
  return { steps, sent, words: (name: string) => steps.find(step => step.name === name)?.words ?? '' };
}

const filesBelow = (root: string) =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name).slice(root.length))
    .sort();

/** Planned, carried out, measured, checked, and carried out again. */
async function installed(t: Test, place: Place, options: Omit<ProvisionOptions, 'place'>) {
  const { root } = place;
  const at = (path: string) => join(root, path);

  // What it would do, before it does anything.
  const plan = await planProvision({ ...options, place });
  t.same(filesBelow(root), [], 'a plan changes nothing');
  const skipped = plan.steps.filter(step => skipReason(plan, step) !== undefined).map(({ name }) => name);
  t.same(skipped, ['user', 'reload', 'start'], 'what is the machine’s own is left out, and said');
  for (const step of plan.steps.filter(({ system }) => system))
    t.match(skipReason(plan, step), /is a folder, no machine/);
  t.match(plan.steps.map(step => scriptOf(plan, step)).join(''), /WatchdogSec=10/, 'the scripts hold the files');

  const first = await carriedOut(plan);
  t.comment(`sent ${(first.sent / 1e6).toFixed(1)} MB of ${(unpackedBytes(plan.runtime!) / 1e6).toFixed(1)} MB`);
  t.ok(first.sent > 1e6 && first.sent < unpackedBytes(plan.runtime!));
  t.equal(readlinkSync(at('opt/sim2servo/current')), `releases/${plan.runtime!.digest}`);
  t.same(readdirSync(at('opt/sim2servo/releases')), [plan.runtime!.digest]);
  t.match(readFileSync(at('etc/systemd/system/sim2servo.service'), 'utf8'), /DeviceAllow=char-ttyUSB rw/);
  t.match(JSON.parse(readFileSync(at('etc/sim2servo/robot/site.json'), 'utf8')), { bus: { port: '/dev/ttyUSB0' } });
  const modes = [
    'var/lib/sim2servo',
    'var/lib/sim2servo/store',
    'etc/sim2servo/robot',
    'etc/sim2servo/robot/site.json',
  ];
  t.same(
    modes.map(path => statSync(at(path)).mode & 0o7777),
    [0o750, 0o2770, 0o750, 0o640],
    'the service’s group writes policies and logs, and nothing that root goes by',
  );

  // It runs there, from its own Node, with its own bindings.
  await deployShipped(root);
  const measured = await measureInstalled(plan);
  t.comment(
    `first tick after ${measured.firstTickMs.toFixed(0)} ms, ${(measured.rssBytes / 1e6).toFixed(0)} MB waiting`,
  );
  // Shortly after its start WebAssembly is still being compiled: what it takes then says little.
  if (options.wasm !== true) t.ok(measured.rssBytes <= budgets.rssBytes, `${measured.rssBytes} bytes resident`);
  const program = [at('usr/local/bin/sim2servo-robot')];
  const { status, stderr, answer } = checked(program);
  t.equal(status, 0, stderr);
  const { digest, manifest } = plan.runtime!;
  t.match(answer(), { runtime: { digest }, policy: { backend: manifest.inference } });
  t.match(robotProgram(['serve', '--broker', 'mqtt://127.0.0.1:1'], program), {
    status: 3,
    stderr: /E_BROKER_CONNECT/,
  });

  // Again: nothing is sent, nothing is written.
  const again = await carriedOut(await planProvision({ ...options, place }));
  t.equal(again.sent, 0);
  t.notMatch(again.steps.map(step => step.words).join(), /wrote/);
  t.match(again.words('runtime'), /is there already/);
  return { plan, first };
}

async function throughItsLife(t: Test, place: Place): Promise<void> {
  const { plan, first } = await installed(t, place, whole);
  const at = (path: string) => join(place.root, path);
  const program = [at('usr/local/bin/sim2servo-robot')];
  const receiver = new DatagramReceiver(at('notify'));
  const service = startService([], { NOTIFY_SOCKET: receiver.name, WATCHDOG_USEC: '400000' }, program);
  await receiver.until(
    said => said.some(text => text.startsWith('READY=1')),
    `READY from the bundle: ${service.said()}`,
  );
  await receiver.until(said => said.filter(text => text === 'WATCHDOG=1').length > 1, 'food');
  t.match(robotProgram(['ctl', 'state'], program).answer(), { answer: { motion: 'waiting', robot: 'so101' } });

  // What was calibrated on the robot stays there, unless somebody says otherwise.
  const site = at('etc/sim2servo/robot/site.json');
  const calibrated = readFileSync(site, 'utf8').replace(/"zeroCount": \d+/, '"zeroCount": 2000');
  writeFileSync(site, calibrated);
  t.match(
    (await carriedOut(await planProvision({ ...whole, place }))).words('robot'),
    /kept .*site\.json, which differs/,
  );
  t.equal(readFileSync(site, 'utf8'), calibrated);
  await carriedOut(await planProvision({ ...whole, place, replaceSite: true }));
  t.not(readFileSync(site, 'utf8'), calibrated);

  // Another release: only what differs travels, and the one before is kept.
  const upgrade = await planProvision({ ...whole, place, wasm: true });
  const second = await carriedOut(upgrade);
  t.ok(second.sent > 0 && second.sent < first.sent / 3, `${second.sent} bytes: Node was there already`);
  t.equal(readlinkSync(at('opt/sim2servo/current')), `releases/${upgrade.runtime!.digest}`);
  t.equal(readlinkSync(at('opt/sim2servo/previous')), `releases/${plan.runtime!.digest}`);
  t.match(checked(program).answer(), { runtime: { inference: 'wasm' }, policy: { backend: 'wasm' } });
  service.process.kill('SIGTERM');
  t.equal(await service.ended, 0);
  receiver.close();

  // A half release, left by one who was interrupted, is in nobody's way.
  mkdirSync(at('opt/sim2servo/releases/.incoming/lib'), { recursive: true });
  writeFileSync(at('opt/sim2servo/releases/.incoming/lib/half'), 'half');
  await carriedOut(await planProvision({ ...whole, place }));
  t.same(readdirSync(at('opt/sim2servo/releases')).sort(), [plan.runtime!.digest, upgrade.runtime!.digest].sort());

  await uninstalled(t, place);
}

async function uninstalled(t: Test, place: Place): Promise<void> {
  const { root } = place;
  const at = (path: string) => join(root, path);
  writeFileSync(at('var/lib/sim2servo/logs/run.mcap'), 'a log');
  await carriedOut(await planUninstall(place));
  t.same(filesBelow(root), ['/var/lib/sim2servo/logs/run.mcap'], 'nothing is left but the log');
  await carriedOut(await planUninstall(place));
  t.ok(existsSync(at('var/lib/sim2servo/logs/run.mcap')), 'and uninstalling twice is no error');
}

if (own !== undefined) {
  t.test('into a folder of this machine', async t => throughItsLife(t, { root: freshRoot() }));

  if (hasOpenSsh)
    t.test('over a real ssh server', async t => {
      const server = await startSshServer();
      t.teardown(() => server.stop());
      const place = { ssh: sshTargetOf(server.target, server.configPath), root: freshRoot() };
      await installed(t, place, slim);
      await uninstalled(t, place);
    });
  else t.comment('over ssh: not tested, as OpenSSH is not installed');

  t.test('a file that is damaged on its way is noticed there, and nothing is switched', async t => {
    const place = { root: freshRoot() };
    const plan = await planProvision({ ...slim, place });
    const spoilt = plan.runtime!.files.map(file =>
      file.path === 'lib/package.json' ? { ...file, content: Buffer.from('{"type":"modulo"}\n') } : file,
    );
    await t.rejects(carriedOut({ ...plan, runtime: { ...plan.runtime!, files: spoilt } }), {
      code: 'E_TARGET_SCRIPT',
      message: /^step runtime: .*(lib\/package\.json|checksum).*; no runtime is there yet$/s,
    });
    t.notOk(existsSync(join(place.root, 'opt/sim2servo/current')));
    await carriedOut(plan);
    t.ok(existsSync(join(place.root, 'opt/sim2servo/current/runtime.json')), 'the next one goes through');
  });

  t.test('nothing is changed under an arm that is being driven', async t => {
    const root = freshRoot();
    const { socket, program } = robotPlaces(root);
    for (const path of [socket, program]) mkdirSync(join(path, '..'), { recursive: true });
    const server = createServer().listen(socket);
    t.teardown(() => server.close());
    writeFileSync(program, `#!/bin/sh\necho '${JSON.stringify({ answer: drivingState })}'\n`);
    chmodSync(program, 0o755);
    await t.rejects(planProvision({ ...slim, place: { root } }), { code: 'E_ARM_DRIVEN', hint: /kit stop/ });
    await t.rejects(planUninstall({ root }), { code: 'E_ARM_DRIVEN' });
  });

  t.test('a robot that trusts keys is given only a runtime that one of them has signed', async t => {
    const { line: key, id, sign: signed } = runtimeKey();
    const folder = join(t.testdir({}), 'so101');
    cpSync(join(shippedRobots, 'so101'), folder, { recursive: true });
    const shipped = JSON.parse(readFileSync(join(folder, 'site.json'), 'utf8'));
    writeFileSync(join(folder, 'site.json'), JSON.stringify({ ...shipped, trustedKeys: [key] }));
    const trusting: LoadedRobot = loadRobot(folder);
    const place = { root: freshRoot() };
    await t.rejects(planProvision({ ...slim, robot: trusting, place }), { code: 'E_RUNTIME_UNSIGNED' });
    await t.rejects(planProvision({ ...slim, robot: trusting, place, sign: () => signed(Buffer.from('another')) }), {
      code: 'E_SIGNATURE_WRONG',
    });
    // Without a key that is trusted the rule stays: what was revoked does not open the door again.
    const { site } = trusting;
    const revoking = { ...trusting, site: { ...site, trustedKeys: [], revokedKeys: [id] } };
    await t.rejects(planProvision({ ...slim, robot: revoking, place }), { code: 'E_RUNTIME_UNSIGNED' });
    await t.rejects(planProvision({ ...slim, robot: revoking, place, sign: signed }), { code: 'E_SIGNATURE_REVOKED' });
    await carriedOut(await planProvision({ ...slim, robot: trusting, place, sign: signed }));
    const program = [join(place.root, 'usr/local/bin/sim2servo-robot')];
    t.equal(checked(program).status, 0);
    rmSync(join(place.root, 'opt/sim2servo/current/runtime.json.minisig'));
    t.match(robotProgram(['check'], program).stderr, /E_RUNTIME_UNSIGNED/, 'the robot itself wants it, too');
    // Whoever asks for it here need not: the robot does.
    await t.rejects(planProvision({ ...slim, place }), { code: 'E_RUNTIME_UNSIGNED' });
    // The installed runtime is asked before another one takes its place.
    const plan = await planProvision({ ...slim, robot: trusting, place, sign: signed, wasm: false });
    const forged = plan.runtime!.files.map(file =>
      file.path === 'runtime.json.minisig' ? { ...file, content: Buffer.from(signed(Buffer.from('another'))) } : file,
    );
    await t.rejects(carriedOut({ ...plan, runtime: { ...plan.runtime!, files: forged } }), {
      code: 'E_TARGET_SCRIPT',
      message: /E_SIGNATURE_WRONG/,
    });
  });

  t.test('what can not be is said before anything is done', async t => {
    const place = { root: freshRoot() };
    await t.rejects(planProvision({ robot, packaged, ownNode: true, wasm: true, place }), {
      code: 'E_NO_PORT',
      hint: /--port/,
    });
    await t.rejects(planProvision({ ...common, packaged: packageRuntime, place, nodePath: '/no/node' }), {
      code: 'E_NODE_FILE',
    });
    t.same(filesBelow(place.root), []);
  });
} else t.comment('not tested, as this machine is no robot’s');
