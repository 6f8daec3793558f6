import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@sim2servo/models/digest';
import { loadRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import { openStore } from '@sim2servo/runtime/releases/release-store';
import t from 'tap';
import { policyCopy, putKey, robotCopy, useKeyFolder } from '../keys/key-folder.js';
import { installRobotProgram } from '../targets/robot-program.js';
import { needsSshd, Sshd } from '../targets/sshd.js';
import { tried } from '../targets/tried.js';
import { errorOf, kit, kitProcess } from '../test-io.js';

const folder = t.testdir();
const at = (name: string) => join(folder, name);
const [first, second] = ['so101-reach-50hz', 'so101-reach-100hz'].map(name => join(shippedPolicies, name)) as [
  string,
  string,
];
const digestOf = (bundle: string) => sha256(readFileSync(join(bundle, 'policy.json')));

t.test('a deployment says each step on stderr, and its result on stdout', async t => {
  const store = at('store');
  const said = await kit(`deploy ${first} --to ${store} --robot so101`);
  t.equal(said.exit, 0, said.err);
  t.match(said.out, new RegExp(`^deployed ${digestOf(first).slice(0, 12)}… to ${store}`));
  t.match(said.out, /self-test there: golden vectors within .*, inference p99 \d+ µs\nit is the first policy there\n/);
  t.match(said.out, new RegExp(`next: kit run --robot so101 --policy ${store} --port PATH$`));
  const lines = said.err.split('\n').map(line => line.split(' ')[0]);
  t.same(
    lines.filter(name => name !== 'proposed'),
    ['checked', 'connected', 'lacking', 'sent', 'verified', 'tested', 'admitted'],
  );
  for (const line of said.err.split('\n')) t.match(line, / {2}\(\d+(\.\d\d)? s\)$/);
});

t.test('with --json there is one value, whatever is asked', async t => {
  const store = at('store');
  tried(store);
  const deployed = await kit(`deploy ${second} --to ${store} --json`);
  tried(store);
  t.match(JSON.parse(deployed.out), {
    digest: digestOf(second),
    previous: digestOf(first),
    release: join(store, 'releases', digestOf(second)),
    sentFiles: readdirSync(second).length,
  });
  t.match(JSON.parse((await kit(`deploy status --to ${store} --json`)).out), { current: digestOf(second) });
  const history = JSON.parse((await kit(`deploy history --to ${store} --last 2 --json`)).out);
  t.equal(history.length, 2);
  const back = await kit(`deploy rollback --to ${store} --reason it_shook --json`);
  t.same(JSON.parse(back.out), { digest: digestOf(first) });
  t.equal(readlinkSync(join(store, 'current')), join('releases', digestOf(first)));
});

t.test('status and history are read by people, too', async t => {
  const store = at('store');
  t.match(await kit(`deploy status --to ${store} --robot so101`), {
    exit: 0,
    out: new RegExp(`^robot +so101\\n[\\s\\S]*current +${digestOf(first).slice(0, 12)}…\\n`),
  });
  t.match(await kit(`deploy --to ${store} history`), { exit: 0, out: /verified +.*\n.*tested +golden vectors/ });
});

t.test('what is wrong is said before anything is changed', async t => {
  const store = at('untouched');
  for (const [line, code, exit] of [
    [`deploy ${at('nowhere')} --to ${store}`, 'E_POLICY_MISSING', 2],
    [`deploy ${first} --to http://x`, 'E_TARGET', 2],
    [`deploy ${first} --to -oProxyCommand=x@y`, 'E_TARGET', 2],
    [`deploy ${first} --to mqtt://127.0.0.1:1/lab`, 'E_BROKER_CONNECT', 3],
    [`deploy ${first} --to mqtts://127.0.0.1:1/lab --cert a.pem`, 'E_BROKER_FILE', 2],
    [`deploy ${first} --to ${store} --robot desk2`, 'E_BUNDLE_ROBOT', 2],
    [`deploy status --to ${store}`, 'E_DEPLOY_TARGET', 2],
    [`deploy rollback --to ${store}`, 'E_DEPLOY_TARGET', 2],
  ] as const) {
    const said = await kit(`${line} --json`);
    t.equal(errorOf(said).code, code, line);
    t.equal(said.exit, exit, line);
  }
  t.notOk(readdirSync(folder).includes('untouched'));
  t.match(await kit(`deploy ${first}`), { exit: 2, err: /required option '--to <target>' not specified/ });
  t.match(await kit('deploy'), { exit: 2 });
});

t.test('a policy that failed there is deployed again with --retry-bad, and the history says why', async t => {
  const store = at('retried');
  t.equal((await kit(`deploy ${first} --to ${store}`)).exit, 0);
  openStore(store).rollback('it made 40 ticks late');
  const refused = errorOf(await kit(`deploy ${first} --to ${store} --json`));
  t.match(refused, { code: 'E_BUNDLE_BAD', hint: /--retry-bad REASON/ });
  const again = await kit(['deploy', first, '--to', store, '--retry-bad', 'the machine was busy', '--json']);
  t.match(JSON.parse(again.out), { digest: digestOf(first), sentFiles: 0 }, again.err);
  t.match(await kit(`deploy history --to ${store} --last 1`), {
    out: /to be tried again: the machine was busy \(it had failed: it made 40 ticks late\).*, .+@.+\)$/,
  });
  tried(store);
  t.same(JSON.parse((await kit(`deploy status --to ${store} --json`)).out).state.bad, {});
});

t.test('a reason is one line that somebody can read later', async t => {
  const store = join(t.testdirName, 'store');
  for (const option of ['--skip-shadow', '--skip-limited', '--retry-bad'])
    for (const reason of ['', '   ', 'x'.repeat(501), 'two\nlines', 'red\u001b[31m']) {
      const said = await kit(['deploy', 'bundle', '--to', store, option, reason, '--json']);
      t.match(errorOf(said), { code: 'E_USAGE', message: /A reason is one line of 1 to 500 characters/ }, option);
      t.equal(said.exit, 2);
    }
  t.equal((await kit(['deploy', 'rollback', '--to', folder, '--reason', '', '--yes'])).exit, 2);
});

t.test('a password in a target is never printed', async t => {
  const said = await kit(`deploy ${first} --to mqtt://me:secret@127.0.0.1:1/lab`);
  t.equal(said.exit, 3);
  t.notMatch(said.err + said.out, /secret/);
});

t.test('a robot that does not trust it says so, and what it has', async t => {
  const robot = at('trusting');
  cpSync(loadRobot('so101').folder, robot, { recursive: true });
  const site = join(robot, 'site.json');
  const key = Buffer.concat([Buffer.from('Ed'), Buffer.alloc(40, 7)]).toString('base64');
  writeFileSync(site, JSON.stringify({ ...JSON.parse(readFileSync(site, 'utf8')), trustedKeys: [key] }));
  t.match(errorOf(await kit(`deploy ${first} --to ${at('store')} --robot ${robot} --json`)), {
    code: 'E_BUNDLE_UNSIGNED',
  });
});

t.test('--sign signs what the robot would take, and its sequence is what the store keeps', async t => {
  const keys = useKeyFolder(t);
  mkdirSync(keys);
  const { id, line } = await putKey(keys, 'bench');
  const bundle = policyCopy(t.testdirName);
  const robot = robotCopy(t.testdirName);
  const site = join(robot, 'site.json');
  writeFileSync(site, JSON.stringify({ ...JSON.parse(readFileSync(site, 'utf8')), trustedKeys: [line] }));
  const store = join(t.testdirName, 'store');
  const deployed = await kit(`deploy ${bundle} --to ${store} --robot ${robot} --sign bench --json`);
  t.equal(deployed.exit, 0, deployed.err);
  t.match(deployed.err, new RegExp(`^signed .* with key ${id} \\(bench\\), sequence \\d+\\nchecked `));
  const { signature } = JSON.parse(deployed.out);
  const status = JSON.parse((await kit(`deploy status --to ${store} --json`)).out);
  t.equal(status.state.sequence, signature.sequence);
  t.match(errorOf(await kit(`deploy ${bundle} --to ${store} --robot ${robot} --sign nobody --json`)), {
    code: 'E_KEY_UNKNOWN',
  });
  const unfit = policyCopy(join(t.testdirName, 'unfit'));
  t.match(errorOf(await kit(`deploy ${unfit} --to ${store} --robot desk2 --sign bench --json`)), {
    code: 'E_BUNDLE_ROBOT',
  });
  t.notOk(existsSync(join(unfit, 'policy.json.minisig')), 'what does not fit is not signed');
});

t.test('over OpenSSH: the same words, and what was sent before is not sent again', needsSshd, async t => {
  const store = at('remote');
  const { path } = installRobotProgram(at('there'), { store, robot: loadRobot('so101').folder });
  const sshd = await Sshd.start(at('ssh'), path);
  t.after(() => sshd.stop());
  const to = `--to ${sshd.target} --ssh-config ${sshd.config()}`;
  const deployed = await kit(`deploy ${first} ${to}`);
  t.equal(deployed.exit, 0, deployed.err);
  t.match(deployed.err, /connected +so101, runtime \d[\s\S]*lacking +4 of 4 files[\s\S]*tested +golden vectors/);
  t.match(deployed.out, new RegExp(`next: kit deploy status --to ${sshd.target}$`));
  const again = await kit(`deploy ${first} ${to} --json`);
  t.match(JSON.parse(again.out), { sentFiles: 0, sentBytes: 0 });
  t.match(await kit(`deploy status ${to}`), { exit: 0, out: /robot +so101/ });
  sshd.knows(undefined);
  t.match(await kit(`deploy ${second} ${to}`), {
    exit: 3,
    err: /host key .* not known here[\s\S]*\[E_TARGET_HOST_KEY\]/,
  });
});

t.test('Ctrl-C leaves a whole robot, and says what it has', needsSshd, async t => {
  const store = at('interrupted');
  const { path } = installRobotProgram(at('there-too'), { store, robot: loadRobot('so101').folder });
  const sshd = await Sshd.start(at('ssh-too'), path);
  t.after(() => sshd.stop());
  const args = ['--to', sshd.target, '--ssh-config', sshd.config()];
  let sent = false;
  const stopped = await kitProcess(['deploy', first, ...args], {
    onErr: (text, kill) => {
      if (sent || !text.includes('lacking')) return;
      sent = true;
      kill('SIGINT');
    },
  });
  t.equal(stopped.exit, 130, stopped.err);
  t.match(stopped.err, /interrupted: (nothing has changed on the robot|the robot ends the installation by itself)/);
  t.match(await kit(['deploy', first, ...args]), { exit: 0 });
  t.equal(readlinkSync(join(store, 'current')), join('releases', digestOf(first)));
});
