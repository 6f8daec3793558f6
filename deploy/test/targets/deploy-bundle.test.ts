import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { loadRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import t from 'tap';
import type { Request } from '../../src/agent/protocol.js';
import { type DeployStep, deployBundle } from '../../src/targets/deploy-bundle.js';
import { FakeRobot, fakeStatus } from '../support/fake-robot.js';

const folder = t.testdir();
const bundle = join(shippedPolicies, 'so101-reach-50hz');
const digest = sha256(readFileSync(join(bundle, 'policy.json')));
const files = readdirSync(bundle).length;

t.test('each step is told with its time, and the report has the figures', async t => {
  const robot = new FakeRobot();
  const steps: string[] = [];
  const onStep = (step: DeployStep, seconds: number) => {
    t.ok(seconds >= 0);
    steps.push(step.kind === 'robot' ? step.entry.event : step.kind);
  };
  const report = await deployBundle(robot, bundle, { by: 'me', skip: { shadow: 'it is the same' }, onStep });
  t.match(report, { digest, outcome: 'committed', words: 'it drives', previous: 'b'.repeat(64), sentFiles: files });
  t.match(report.figures, { inferP99Us: 90 });
  t.same([...new Set(steps)], ['checked', 'connected', 'lacking', 'sending', 'sent', 'tested', 'shadow']);
  t.equal(robot.sent.length, files);
  t.same(
    robot.asked.filter(kind => kind !== 'received'),
    ['hello', 'lacking', 'install', 'follow', 'status'],
  );
});

t.test('what failed on the robot is not sent there, unless somebody says why it is to be tried again', async t => {
  const robot = new FakeRobot();
  const state = { ...fakeStatus.state, bad: { [digest]: 'it shook' } };
  robot.answers.hello = () => ({ ...fakeStatus, state, protocol: 1, incoming: '/x' });
  const agree = async () => {
    t.fail('nobody is asked for what will not be done');
  };
  await t.rejects(deployBundle(robot, bundle, { by: 'me', agree }), {
    code: 'E_BUNDLE_BAD',
    message: /failed on this robot: it shook\n {2}nothing has changed/,
  });
  t.same(robot.asked, ['hello']);
  t.match(await deployBundle(robot, bundle, { by: 'me', retryBad: 'it was busy' }), { outcome: 'committed' });
});

t.test('what the operator says goes with the installation, and nothing where nothing was said', async t => {
  const robot = new FakeRobot();
  const installed: Request[] = [];
  robot.answers.install = request => {
    installed.push(request);
    return { id: 'a', outcome: 'current' };
  };
  await deployBundle(robot, bundle, { by: 'me' });
  await deployBundle(robot, bundle, { by: 'me', skip: { limited: 'it is slow' }, retryBad: 'it was busy' });
  const plain = { kind: 'install', manifest: digest, by: 'me' };
  t.same(installed, [
    { ...plain, skip: {} },
    { ...plain, skip: { limited: 'it is slow' }, retryBad: 'it was busy' },
  ]);
});

t.test('what is there is not sent, what is half there goes on, what is whole is only verified', async t => {
  const robot = new FakeRobot();
  const model = readFileSync(join(bundle, 'policy.onnx'));
  const golden = readFileSync(join(bundle, 'golden.json'));
  robot.answers.lacking = () => [
    { sha256: sha256(model), from: 1000 },
    { sha256: sha256(golden), from: golden.length },
  ];
  const report = await deployBundle(robot, bundle, { by: 'me' });
  t.same(robot.sent, [{ bytes: model.length, from: 1000 }]);
  t.equal(report.sentBytes, model.length - 1000);
  t.equal(robot.asked.filter(kind => kind === 'received').length, 2);
});

t.test('a half that was spoilt since comes once more, whole, and only once', async t => {
  const robot = new FakeRobot();
  const model = readFileSync(join(bundle, 'policy.onnx'));
  robot.answers.lacking = () => [{ sha256: sha256(model), from: 1000 }];
  let bad = 1;
  robot.answers.received = () => {
    if (bad-- > 0) throw new KitError('E_DEPLOY_DIGEST', 'it was changed', 'deploy again');
    return {};
  };
  await deployBundle(robot, bundle, { by: 'me' });
  t.same(robot.sent, [
    { bytes: model.length, from: 1000 },
    { bytes: model.length, from: 0 },
  ]);
  bad = 2;
  await t.rejects(deployBundle(robot, bundle, { by: 'me' }), { code: 'E_DEPLOY_DIGEST' });
});

t.test('what went from the robot after it was asked is asked for again, and sent, once', async t => {
  const robot = new FakeRobot();
  const model = sha256(readFileSync(join(bundle, 'policy.onnx')));
  const lacking = () => {
    throw new KitError('E_DEPLOY_LACKING', 'policy.onnx is not there', 'deploy again');
  };
  let gone = false;
  let installations = 0;
  robot.answers.lacking = () => (gone ? [{ sha256: model, from: 0 }] : []);
  robot.answers.install = () => {
    if (installations++ > 0) return { id: 'a', outcome: 'current' };
    gone = true;
    return lacking();
  };
  const report = await deployBundle(robot, bundle, { by: 'me' });
  t.match(report, { outcome: 'current', sentFiles: 1 });
  t.same(robot.asked, ['hello', 'lacking', 'install', 'lacking', 'received', 'install', 'status']);

  const losing = new FakeRobot();
  losing.answers.install = lacking;
  await t.rejects(deployBundle(losing, bundle, { by: 'me' }), { code: 'E_DEPLOY_LACKING' });
  t.equal(losing.asked.filter(kind => kind === 'install').length, 2, 'not for ever');
});

t.test('an error says what is so on the robot when it happens', async t => {
  const failing = (kind: Request['kind'], code: string) => {
    const robot = new FakeRobot();
    robot.answers[kind] = () => {
      throw new KitError(code, 'it broke', 'mend it', 'noDevice');
    };
    return deployBundle(robot, bundle, { by: 'me' });
  };
  for (const [kind, words] of [
    ['hello', /it broke\n {2}nothing has changed on the robot/],
    ['lacking', /nothing has changed/],
    ['received', /nothing has changed/],
    ['install', /ends the installation by itself/],
    ['follow', /the trial goes on without us/],
  ] as const)
    await t.rejects(failing(kind, 'E_X'), { code: 'E_X', message: words, hint: 'mend it', exit: 'noDevice' }, kind);
});

t.test('where nobody agrees nothing is sent', async t => {
  const robot = new FakeRobot();
  const agree = async () => {
    throw new KitError('E_NOT_CONFIRMED', 'you said no', 'later');
  };
  await t.rejects(deployBundle(robot, bundle, { by: 'me', agree }), { code: 'E_NOT_CONFIRMED' });
  t.same(robot.asked, ['hello']);
});

t.test('Ctrl-C ends it at once, whatever it waits for, and says what goes on', async t => {
  for (const [kind, words] of [
    ['lacking', /nothing has changed/],
    ['install', /by itself/],
    ['follow', /goes on without us/],
  ] as const) {
    const robot = new FakeRobot();
    const stop = new AbortController();
    robot.answers[kind] = () => {
      stop.abort();
      return new Promise(() => {});
    };
    const deploying = deployBundle(robot, bundle, { by: 'me', signal: stop.signal });
    await t.rejects(deploying, { code: 'E_INTERRUPTED', exit: 'interrupt', message: words }, kind);
  }
});

t.test('a bundle that is not whole, or for another robot, calls nobody', async t => {
  const changed = join(folder, 'changed');
  cpSync(bundle, changed, { recursive: true });
  writeFileSync(join(changed, 'golden.json'), '{}');
  const robot = new FakeRobot();
  await t.rejects(deployBundle(robot, changed, { by: 'me' }), { code: 'E_BUNDLE_DIGEST' });
  const expected = { robot: loadRobot('desk2') };
  await t.rejects(deployBundle(robot, bundle, { by: 'me', expected }), { code: 'E_BUNDLE_ROBOT' });
  t.same(robot.asked, []);
});
