/** What every way to a robot must keep, whatever carries it: one suite, run over each. */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { protocolVersion, type Request, type RobotConnection } from '@sim2servo/deploy/agent/protocol';
import { type DeployStep, deployBundle } from '@sim2servo/deploy/targets/deploy-bundle';
import { sha256 } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { openStore } from '@sim2servo/runtime/releases/release-store';
import type { Test } from 'tap';
import { ballastBytes, goldenOff, type RobotFolder, robot, writeVariant } from './bundles.js';
import { tried } from './tried.js';

/** One robot that can be deployed to, with a store that is empty at first. */
export interface RobotUnderTest {
  readonly store: string;
  readonly folder: RobotFolder;
  connect(): Promise<RobotConnection>;
  /** Bytes that went there so far, give or take what the transport adds. */
  sentBytes(): number;
  /** What the transport adds to a file: at most this share of it, and so many bytes for the talk. */
  readonly overhead: { readonly share: number; readonly bytes: number };
  /** Where there is a link: it breaks once so many bytes more have gone. `heals`: the connection survives that. */
  readonly link?: { cutAfter(bytes: number): void; readonly heals: boolean };
  /** `kill -9`, where the agent is a process; it is there again for the next connection. */
  readonly killAgent?: () => Promise<void>;
  stop(): Promise<void>;
}

const by = 'the contract test';
const hex = (digit: string) => digit.repeat(64);

/** @param lacks why there is no link that may break, or no agent that may be killed: what needs one is left out then, and that is told */
export function contract(
  t: Test,
  start: (folder: string) => Promise<RobotUnderTest>,
  lacks: { readonly link?: string; readonly agentProcess?: string } = {},
): void {
  const folder = t.testdir();
  const at = (name: string) => join(folder, name);
  // One file in common; then none; then one that is wrong.
  const digests = {
    first: writeVariant(at('first'), 0, 1),
    tuned: writeVariant(at('tuned'), 1, 1),
    other: writeVariant(at('other'), 0, 2),
  };
  let it: RobotUnderTest;
  t.before(async () => {
    it = await start(at('robot'));
  });
  t.after(async () => {
    await drop();
    await it.stop();
  });
  const testWith = (reason: string | undefined, name: string, body: (t: Test) => Promise<void>) => {
    if (reason === undefined) t.test(name, body);
    else t.comment(`left out: ${name}: ${reason}`);
  };
  const fresh = () => {
    // An agent that looks at it every second may make it anew meanwhile.
    for (let attempt = 1; existsSync(it.store); attempt++)
      try {
        rmSync(it.store, { recursive: true, force: true });
      } catch (error) {
        if (attempt === 20) throw error;
      }
    it.folder.trust([]);
  };
  const current = () => readlinkSync(join(it.store, 'current')).slice(-64);
  /** A connection for this alone. */
  const alone = async <Result>(work: (robot: RobotConnection) => Promise<Result>): Promise<Result> => {
    const connection = await it.connect();
    try {
      return await work(connection);
    } finally {
      await connection.close();
    }
  };
  let kept: RobotConnection | undefined;
  const drop = async () => {
    await kept?.close();
    kept = undefined;
  };
  /** The connection that is there, for as long as it is good. */
  const connected = async <Result>(work: (robot: RobotConnection) => Promise<Result>): Promise<Result> => {
    kept ??= await it.connect();
    try {
      return await work(kept);
    } catch (error) {
      if ((error as KitError).exit === 'noDevice') await drop();
      throw error;
    }
  };
  const deployTried = async (name: string) => {
    const report = await deploy(name);
    tried(it.store);
    return report;
  };
  const deploy = (name: string, onStep?: (step: DeployStep) => void) =>
    connected(connection => deployBundle(connection, at(name), { by, ...(onStep && { onStep }) }));
  const bytesOf = (name: string) =>
    readdirSync(at(name)).reduce((sum, file) => sum + readFileSync(join(at(name), file)).length, 0);
  const sentOf = async (name: string) => {
    const before = it.sentBytes();
    const report = await deployTried(name);
    return { report, bytes: it.sentBytes() - before };
  };
  /** A file as it is, brought there and let in. */
  const bring = async (connection: RobotConnection, content: Uint8Array): Promise<string> => {
    const digest = sha256(content);
    await connection.request({ kind: 'lacking', files: [{ sha256: digest, bytes: content.length }] });
    await connection.send({ sha256: digest, content }, 0, () => {});
    await connection.request({ kind: 'received', sha256: digest });
    return digest;
  };

  t.test('hello says who it is, and refuses another protocol', async t => {
    fresh();
    await connected(async connection => {
      const hello = await connection.request({ kind: 'hello', protocol: protocolVersion });
      t.match(hello, { protocol: protocolVersion, robot: 'so101', runtimeVersion: /^\d+\.\d+\.\d+$/ });
      t.equal(hello.current, undefined);
      t.ok(hello.freeBytes > 0);
      await t.rejects(connection.request({ kind: 'hello', protocol: protocolVersion + 1 }), {
        code: 'E_AGENT_PROTOCOL',
        hint: /kit provision/,
      });
      t.match(await connection.request({ kind: 'status' }), { robot: 'so101' }, 'an error ends nothing');
    });
  });

  t.test('a deployment tells each of its steps, and the policy is there', async t => {
    fresh();
    const steps: string[] = [];
    const report = await deploy('first', step => steps.push(step.kind === 'robot' ? step.entry.event : step.kind));
    t.same(
      [...new Set(steps)].filter(step => step !== 'proposed'),
      ['checked', 'connected', 'lacking', 'sending', 'sent', 'verified', 'tested', 'admitted'],
    );
    t.equal(report.digest, digests.first);
    t.equal(report.sentFiles, 4);
    t.ok(report.figures.goldenMaxError! < 1e-5 && report.figures.inferP99Us! > 0);
    t.equal(current(), digests.first);
    const entries = await connected(connection => connection.request({ kind: 'history', last: 2 }));
    t.equal(entries.length, 2);
    t.ok(entries.every(entry => entry.digest === digests.first));
    t.same(readdirSync(join(it.store, 'incoming')), [], 'nothing is left behind');
  });

  t.test('only what the robot lacks travels', async t => {
    fresh();
    const first = await sentOf('first');
    t.ok(first.bytes >= bytesOf('first'), `${first.bytes} bytes for ${bytesOf('first')}`);
    const again = await sentOf('first');
    t.match(again.report, { sentFiles: 0, sentBytes: 0 });
    t.ok(again.bytes <= it.overhead.bytes, `${again.bytes} bytes for nothing new`);
    const tuned = await sentOf('tuned');
    t.equal(tuned.report.sentFiles, 3, 'all but the file that is there');
    t.equal(tuned.report.sentBytes, bytesOf('tuned') - ballastBytes);
    const most = tuned.report.sentBytes * (1 + it.overhead.share) + it.overhead.bytes;
    t.ok(tuned.bytes <= most, `${tuned.bytes} bytes for ${tuned.report.sentBytes}`);
    t.equal(current(), digests.tuned);
    t.equal(tuned.report.previous, digests.first);
  });

  t.test('a file that is half there goes on where it was', async t => {
    fresh();
    await connected(async connection => {
      const content = readFileSync(join(at('first'), 'learner.ckpt'));
      const digest = sha256(content);
      const wanted: Request = { kind: 'lacking', files: [{ sha256: digest, bytes: content.length }] };
      t.same(await connection.request(wanted), [{ sha256: digest, from: 0 }]);
      const half = content.length >> 1;
      await connection.send({ sha256: digest, content: content.subarray(0, half) }, 0, () => {});
      t.same(await connection.request(wanted), [{ sha256: digest, from: half }]);
      const before = it.sentBytes();
      let last = 0;
      await connection.send({ sha256: digest, content }, half, bytes => {
        last = bytes;
      });
      t.equal(last, content.length);
      const sent = it.sentBytes() - before;
      t.ok(sent < half * (1 + it.overhead.share) + it.overhead.bytes, `${sent} bytes for ${content.length - half}`);
      t.same(await connection.request({ kind: 'received', sha256: digest }), {});
      t.same(await connection.request(wanted), []);
    });
  });

  t.test('what was spoilt on its way is thrown away, and comes anew', async t => {
    fresh();
    const content = readFileSync(join(at('first'), 'learner.ckpt'));
    const spoilt = content.subarray(0, 1000).map(byte => byte ^ 1);
    const sha = sha256(content);
    await connected(async connection => {
      await connection.request({ kind: 'lacking', files: [{ sha256: sha, bytes: content.length }] });
      await connection.send({ sha256: sha, content: Uint8Array.from(spoilt) }, 0, () => {});
      await t.rejects(connection.request({ kind: 'received', sha256: sha }), { code: 'E_DEPLOY_DIGEST' });
      await t.rejects(connection.request({ kind: 'received', sha256: sha }), { code: 'E_DEPLOY_LACKING' });
      // A deployment that finds the spoilt half sends the whole.
      await connection.send({ sha256: sha, content: Uint8Array.from(spoilt) }, 0, () => {});
    });
    t.equal((await deploy('first')).digest, digests.first);
    t.equal(current(), digests.first);
  });

  t.test('what must not come in is refused, each for its own reason, and the old policy stays', async t => {
    fresh();
    await deploy('first');
    const refused = async (name: string, wanted: { code: string; exit?: string; message?: RegExp }) => {
      await t.rejects(deploy(name), wanted, name);
      t.equal(current(), digests.first);
    };
    writeVariant(at('off'), 0, 1, goldenOff(1e-3));
    await refused('off', { code: 'E_BUNDLE_GOLDEN', message: /the robot has what it had before/ });
    writeVariant(at('foreign'), 0, 1, { robot: { ...robot, spec: { ...robot.spec, name: 'other' } } });
    await refused('foreign', { code: 'E_BUNDLE_ROBOT', exit: 'usage' });
    // 42 bytes that begin with `Ed`: a key that nobody has the other half of.
    it.folder.trust([Buffer.concat([Buffer.from('Ed'), Buffer.alloc(40, 7)]).toString('base64')]);
    await refused('tuned', { code: 'E_BUNDLE_UNSIGNED' });
    const history = await connected(connection => connection.request({ kind: 'history', last: 1 }));
    t.match(history, [{ event: 'refused', digest: digests.tuned, by }]);
    await connected(async connection => {
      const content = Buffer.from('{"no": "manifest"');
      const garbage = await bring(connection, content);
      const install = { kind: 'install', manifest: garbage, skip: {}, by } as const;
      await t.rejects(connection.request(install), { code: 'E_BUNDLE_UNSIGNED' }, 'unsigned it is not even parsed');
      t.same(readdirSync(join(it.store, 'incoming')), [], 'nothing of what was refused is left');
      await bring(connection, content);
      it.folder.trust([]);
      await t.rejects(connection.request(install), { code: 'E_FILE_JSON' });
      await t.rejects(connection.request({ ...install, manifest: hex('e') }), { code: 'E_DEPLOY_LACKING' });
      const large = { sha256: hex('a'), bytes: 2 ** 40 };
      await t.rejects(connection.request({ kind: 'lacking', files: [large] }), { code: 'E_DEPLOY_SIZE' });
    });
    t.equal((await deploy('tuned')).digest, digests.tuned, 'and a good one still comes in');
  });

  t.test('back to the one before, and no further', async t => {
    fresh();
    await deployTried('first');
    const rollback = { kind: 'rollback', reason: 'it shook', by } as const;
    await connected(connection => t.rejects(connection.request(rollback), { code: 'E_ROLLBACK_NONE' }));
    await deployTried('tuned');
    t.same(await connected(connection => connection.request(rollback)), { digest: digests.first });
    t.equal(current(), digests.first);
  });

  t.test('a trial is followed to its end, whoever drives it', async t => {
    fresh();
    await deployTried('first');
    const id = 'a-trial';
    const statePath = join(it.store, 'state.json');
    const before = existsSync(statePath) ? JSON.parse(readFileSync(statePath, 'utf8')) : undefined;
    const state = before ?? { format: 'sim2servo/store@1', sequence: 0, bad: {} };
    const trial = { id, digest: digests.first, phase: 'shadow', running: false, skip: {} };
    const entry = (event: string) =>
      `${JSON.stringify({ at: new Date(0).toISOString(), id, digest: digests.first, event, words: `it is ${event}`, seconds: 5 })}\n`;
    const history = join(it.store, 'history.jsonl');
    const said = existsSync(history) ? readFileSync(history, 'utf8') : '';
    await connected(async connection => {
      await t.rejects(connection.request({ kind: 'follow', id: 'nobody' }), { code: 'E_DEPLOY_UNKNOWN' });
      writeFileSync(statePath, JSON.stringify({ ...state, trial }));
      writeFileSync(history, said + entry('shadow'));
      const events: string[] = [];
      const follow = () => connection.request({ kind: 'follow', id }, ({ event }) => events.push(event));
      t.match(await follow(), { outcome: 'waiting', words: /next kit run/ }, 'nobody drives');
      t.same(events, ['shadow']);
      writeFileSync(statePath, JSON.stringify(state));
      writeFileSync(history, said + entry('shadow') + entry('limited') + entry('rolled-back'));
      t.same(await follow(), { outcome: 'rolled-back', words: 'it is rolled-back' });
      t.same(events, ['shadow', 'shadow', 'limited', 'rolled-back']);
    });
  });

  t.test('of two at once one waits for nobody, and the store is whole', async t => {
    fresh();
    const results = await Promise.allSettled(
      ['first', 'other'].map(name => alone(connection => deployBundle(connection, at(name), { by }))),
    );
    const done = results.flatMap(result => (result.status === 'fulfilled' ? [result.value.digest] : []));
    const errors = results.flatMap(result => (result.status === 'rejected' ? [result.reason as KitError] : []));
    t.ok(done.length > 0, errors.map(({ message }) => message).join('; '));
    for (const error of errors) t.match(error, { code: 'E_DEPLOY_BUSY' });
    t.ok(done.includes(current()));
    for (const name of ['first', 'other']) await deploy(name);
    t.equal(current(), digests.other);
  });

  t.test('of two who bring the same file neither spoils it for the other', async t => {
    fresh();
    const content = readFileSync(join(at('first'), 'learner.ckpt'));
    const file = { sha256: sha256(content), content };
    const half = content.length >> 1;
    const wanted: Request = { kind: 'lacking', files: [{ sha256: file.sha256, bytes: content.length }] };
    const begun = { ...file, content: content.subarray(0, half) };
    await alone(one =>
      alone(async two => {
        for (const each of [one, two])
          t.same(await each.request(wanted), [{ sha256: file.sha256, from: 0 }], 'nobody has anything yet');
        await one.send(begun, 0, () => {});
        await two.send(file, 0, () => {});
        await one.send(file, half, () => {});
        await two.send(begun, 0, () => {});
        t.same(await one.request({ kind: 'received', sha256: file.sha256 }), {});
        t.same(await two.request(wanted), []);
      }),
    );
  });

  t.test('a file that goes with a release while another deployer counts on it is sent after all', async t => {
    fresh();
    await deployTried('first');
    writeVariant(at('third'), 0, 3);
    const asked: string[] = [];
    const report = await alone(connection => {
      const overtaken: RobotConnection = {
        ...connection,
        send: (...sent) => connection.send(...sent),
        close: () => connection.close(),
        async request(request, onEvent) {
          // Others come between: the release with the file that both bundles share is neither current nor previous then.
          if (request.kind === 'install' && !asked.includes('install'))
            for (const name of ['other', 'third', 'other']) await deployTried(name);
          asked.push(request.kind);
          return connection.request(request, onEvent);
        },
      };
      return deployBundle(overtaken, at('tuned'), { by });
    });
    t.equal(asked.filter(kind => kind === 'install').length, 2, 'the first one found the file gone');
    t.equal(report.sentFiles, 4);
    t.equal(openStore(it.store).state().trial?.digest, digests.tuned);
  });

  t.test('who stops in the middle leaves nothing half, and the next goes on', async t => {
    fresh();
    await deploy('tuned');
    const stop = new AbortController();
    const stopped = alone(connection =>
      deployBundle(connection, at('other'), {
        by,
        signal: stop.signal,
        onStep: ({ kind }) => {
          if (kind === 'lacking') stop.abort();
        },
      }),
    );
    await t.rejects(stopped, { code: 'E_INTERRUPTED', exit: 'interrupt', message: /nothing has changed on the robot/ });
    t.equal(current(), digests.tuned);
    await deploy('other');
    t.equal(current(), digests.other);
  });

  testWith(lacks.link, 'a link that breaks in the middle loses nothing that had arrived', async t => {
    fresh();
    await deploy('tuned');
    const before = it.sentBytes();
    const link = it.link!;
    link.cutAfter(ballastBytes / 2);
    const first = await deploy('other').catch((error: unknown) => error);
    if (link.heals) t.match(first, { digest: digests.other }, 'it goes on by itself');
    else {
      t.match(first, { exit: 'noDevice', message: /nothing has changed on the robot/ });
      t.equal(current(), digests.tuned);
      t.ok((await deploy('other')).sentBytes < bytesOf('other'), 'the half that arrived is not sent again');
    }
    t.equal(current(), digests.other);
    const sent = it.sentBytes() - before;
    const once = bytesOf('other') * (1 + it.overhead.share) + 3 * it.overhead.bytes;
    t.ok(sent < once + ballastBytes / 2, `${sent} bytes, of which ${once} would be one whole`);
  });

  testWith(lacks.agentProcess, 'an agent that is killed in the middle leaves nothing half', async t => {
    for (const when of ['sending', 'verified'] as const) {
      fresh();
      await deploy('tuned');
      let killed: Promise<void> | undefined;
      await drop();
      const failed = await alone(connection =>
        deployBundle(connection, at('other'), {
          by,
          onStep: step => {
            if ((step.kind === 'robot' ? step.entry.event : step.kind) === when) killed ??= it.killAgent!();
          },
        }),
      ).catch((error: unknown) => error);
      await killed;
      t.ok(killed !== undefined, `it was killed at ${when}`);
      // Where the answer was on its way already it was done.
      if (failed instanceof KitError) t.equal(failed.exit, 'noDevice', failed.message);
      t.ok(failed instanceof KitError ? current() !== '' : current() === digests.other);
      await deploy('other');
      t.equal(current(), digests.other, 'the next one succeeds');
    }
  });
}
