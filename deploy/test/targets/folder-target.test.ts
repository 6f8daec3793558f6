import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@sim2servo/models/digest';
import t from 'tap';
import { protocolVersion } from '../../src/agent/protocol.js';
import { connect } from '../../src/targets/connect.js';
import { connectFolder } from '../../src/targets/folder-target.js';

const folder = t.testdir();
const content = Buffer.alloc(2 ** 21 + 3, 7);
const digest = sha256(content);

t.test('the agent is in this process, and a large file goes in pieces', async t => {
  const store = join(folder, 'store');
  const robot = connectFolder({ store, robot: 'so101' });
  const { incoming, robot: named } = await robot.request({ kind: 'hello', protocol: protocolVersion });
  t.equal(named, 'so101');
  await robot.request({ kind: 'lacking', files: [{ sha256: digest, bytes: content.length }] });
  const told: number[] = [];
  await robot.send({ sha256: digest, content }, 0, bytes => told.push(bytes));
  t.same(told, [2 ** 20, 2 ** 21, content.length]);
  await robot.request({ kind: 'received', sha256: digest });
  t.ok(readFileSync(join(incoming, digest)).equals(content));
  await robot.close();
});

t.test('a file without a byte comes, too', async t => {
  const robot = connectFolder({ store: join(folder, 'empty') });
  const nothing = sha256('');
  await robot.request({ kind: 'lacking', files: [{ sha256: nothing, bytes: 0 }] });
  await robot.send({ sha256: nothing, content: new Uint8Array() }, 0, () => {});
  t.same(await robot.request({ kind: 'received', sha256: nothing }), {});
  await robot.close();
});

t.test('a store that is empty has no policy, and no history', async t => {
  const store = join(folder, 'never');
  const robot = await connect(store);
  t.match(await robot.request({ kind: 'status' }), { current: undefined, state: { bad: {} } });
  t.same(await robot.request({ kind: 'history', last: 3 }), []);
  await robot.close();
});
