/** Keys reach a robot that is provisioned already, whose calibration stays. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedRobot, loadRobot, shippedRobots } from '@sim2servo/models/robot-folder';
import t, { type Test } from 'tap';
import { carryOut, planProvision, scriptOf } from '../../src/provision/provision.js';
import { packageRuntime } from '../../src/provision/runtime-package.js';
import { keysStep, readSiteThere, sitePath, withTrust } from '../../src/provision/site-there.js';
import { runtimeKey } from '../support/runtime-key.js';

const [old, fresh] = [runtimeKey(), runtimeKey()];
const nobody = { trustedKeys: [], revokedKeys: [] };
const calibrated = '{"bus": 1, "servos": [{"zeroCount": 2000}]}';

t.test('keys are added, and nothing else is touched', async t => {
  const there = readSiteThere(calibrated, 'arm');
  t.same(there.trust, nobody);
  const after = withTrust(there, { trustedKeys: [fresh.line], revokedKeys: [old.id] });
  t.same(JSON.parse(after.text), {
    ...JSON.parse(calibrated),
    trustedKeys: [fresh.line],
    revokedKeys: [old.id],
  });
  t.same(withTrust(after, nobody), after, 'byte by byte');
  t.same(readSiteThere(after.text, 'arm').trust, after.trust);
});

t.test('what the robot has revoked stays revoked, whoever trusts it here', async t => {
  const there = readSiteThere(JSON.stringify({ revokedKeys: [old.id] }), 'arm');
  const here = { trustedKeys: [old.line], revokedKeys: [] };
  t.same(withTrust(there, here), there);
  t.equal(keysStep(there, here), undefined);
});

t.test('one line says what is new', async t => {
  const there = readSiteThere(JSON.stringify({ trustedKeys: [old.line] }), 'arm');
  const step = keysStep(there, { trustedKeys: [fresh.line], revokedKeys: [old.id] });
  t.equal(
    step?.words,
    `the robot’s keys: it trusts ${fresh.id}; ${old.id} is revoked; the rest of its site.json stays`,
  );
  t.equal(keysStep(there, { trustedKeys: [old.line], revokedKeys: [] }), undefined);
});

t.test('a site.json that can not be read is no robot without keys', async t => {
  t.throws(() => readSiteThere('{', 'arm'), { code: 'E_FILE_JSON', message: /site\.json of arm/ });
  t.throws(() => readSiteThere('{"revokedKeys": "all"}', 'arm'), { code: 'E_FILE_SCHEMA' });
});

/** The robot's folder of the desk, with keys; and what brings it to a root folder. */
function desk(t: Test) {
  const folder = join(t.testdir({}), 'so101');
  cpSync(join(shippedRobots, 'so101'), folder, { recursive: true });
  const root = mkdtempSync(join(tmpdir(), 'root-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const robot = (trust: object): LoadedRobot => {
    const path = join(folder, 'site.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...trust }));
    return loadRobot(folder);
  };
  const options = { place: { root }, port: '/dev/ttyUSB0', ownNode: true, wasm: true, packaged: packageRuntime };
  const planned = (trust: object, sign?: (manifest: Buffer) => string) =>
    planProvision({ ...options, robot: robot(trust), ...(sign && { sign }) });
  return { planned, path: join(root, sitePath) };
}

if (process.platform === 'linux')
  t.test('a robot that is provisioned again is brought the keys; what is calibrated there stays', async t => {
    const { planned, path } = desk(t);
    const carriedOut = async (plan: Awaited<ReturnType<typeof planned>>) => {
      const steps: Record<string, string> = {};
      await carryOut(
        plan,
        ({ name, words }) => {
          steps[name] = words;
        },
        () => {},
      );
      return steps;
    };
    await carriedOut(await planned({}));
    const before = JSON.parse(readFileSync(path, 'utf8'));
    before.servos[0].zeroCount = 2000;
    writeFileSync(path, JSON.stringify({ ...before, revokedKeys: [old.id] }));

    const trust = { trustedKeys: [old.line, fresh.line], revokedKeys: [] };
    await t.rejects(planned(trust), { code: 'E_RUNTIME_UNSIGNED' });
    await t.rejects(planned(trust, old.sign), { code: 'E_SIGNATURE_REVOKED' }, 'by the robot alone');
    const plan = await planned(trust, fresh.sign);
    const keys = plan.steps.find(({ name }) => name === 'keys')!;
    t.match(keys.words, new RegExp(`it trusts ${fresh.id}; the rest of its site.json stays`));
    t.match(scriptOf(plan, keys), /"zeroCount": 2000/, 'shown before it is done');

    const meanwhile = readFileSync(path, 'utf8').replace('2000', '2001');
    const was = readFileSync(path, 'utf8');
    writeFileSync(path, meanwhile);
    await t.rejects(carriedOut(plan), { code: 'E_TARGET_CHANGED', message: /changed .*site\.json since/ });
    t.equal(readFileSync(path, 'utf8'), meanwhile, 'who calibrated meanwhile has not done so in vain');
    writeFileSync(path, was);

    t.match((await carriedOut(plan)).robot, /kept .*site\.json, which differs/);
    const after = { ...before, trustedKeys: [fresh.line], revokedKeys: [old.id] };
    t.same(JSON.parse(readFileSync(path, 'utf8')), after);

    const again = await carriedOut(await planned(trust, fresh.sign));
    t.notOk('keys' in again);
    t.notMatch(Object.values(again).join(), /wrote/);
  });
else t.comment('how they are brought: not tested, as this machine is no robot’s');
