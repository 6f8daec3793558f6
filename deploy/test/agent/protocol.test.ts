import t from 'tap';
import { answerSchemas, fromAgentSchema, requestSchema } from '../../src/agent/protocol.js';

const digest = 'a'.repeat(64);
const status = {
  runtimeVersion: '0.1.0',
  platform: 'linux-arm64',
  state: { format: 'sim2servo/store@1', sequence: 0, bad: {} },
  freeBytes: 1,
};

t.test('a request is one of those that are known, and holds nothing more', async t => {
  t.ok(requestSchema.safeParse({ kind: 'status' }).success);
  t.ok(
    requestSchema.safeParse({ kind: 'install', manifest: digest, skip: { shadow: 'it is the same' }, by: 'me' })
      .success,
  );
  for (const bad of [
    { kind: 'reboot' },
    { kind: 'status', more: 1 },
    { kind: 'received', sha256: '../../etc/passwd' },
    { kind: 'received', sha256: digest.toUpperCase() },
    { kind: 'install', manifest: digest, skip: {}, by: '' },
    { kind: 'install', manifest: digest, skip: { shadow: '' }, by: 'me' },
    { kind: 'install', manifest: digest, skip: {}, retryBad: '', by: 'me' },
    { kind: 'history', last: 0 },
    { kind: 'lacking', files: [{ sha256: digest, bytes: -1 }] },
  ])
    t.notOk(requestSchema.safeParse(bad).success, JSON.stringify(bad));
});

t.test("a robot's answer can't put words into sftp's mouth", async t => {
  const hello = (incoming: string) => answerSchemas.hello.safeParse({ ...status, protocol: 1, incoming }).success;
  t.ok(hello('/var/lib/sim2servo/store/incoming'));
  t.ok(hello('/home/a robot/incoming'));
  for (const path of ['relative', '/a\n!rm -rf ~', '/a"; put x', '/a\\', '/a\u0000'])
    t.notOk(hello(path), JSON.stringify(path));
});

t.test('an error carries all that a KitError has', async t => {
  const error = { code: 'E_X', message: 'no', hint: 'go', exit: 'usage', stack: '' };
  t.ok(fromAgentSchema.safeParse({ id: 1, error }).success);
  t.notOk(fromAgentSchema.safeParse({ id: 1, error: { ...error, exit: 'never' } }).success);
  t.notOk(fromAgentSchema.safeParse({ id: -1, answer: 1 }).success);
});
