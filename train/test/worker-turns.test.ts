import t from 'tap';
import { WorkerTurns } from '../src/worker-turns.js';

const script = new URL('./environments/echo-worker.js', import.meta.url);
const start = (setup: object) => WorkerTurns.start<object, unknown>(script, setup);

t.test('requests are answered one by one, whatever the answer', async t => {
  const turns = await start({});
  t.strictSame(await turns.ask({ echo: Float32Array.of(1, 2) }), Float32Array.of(1, 2));
  t.equal(await turns.ask({ echo: undefined }), undefined);
  await turns.dispose();
});

t.test('a second request before the answer to the first is a mistake of the caller', async t => {
  const turns = await start({});
  const first = turns.ask({ echo: 1 });
  t.throws(() => turns.ask({ echo: 2 }), { code: 'E_WORKER' });
  t.equal(await first, 1);
  await turns.dispose();
});

t.test('an error comes back with code, hint and exit, and the thread goes on', async t => {
  const turns = await start({});
  await t.rejects(turns.ask({ fail: 'kit' }), {
    code: 'E_ECHO',
    hint: 'ask for less',
    exit: 'timeout',
    message: 'no echo',
  });
  await t.rejects(turns.ask({ fail: 'plain' }), { code: 'E_WORKER', exit: 'bug', message: 'plain' });
  t.equal(await turns.ask({ echo: 3 }), 3);
  await turns.dispose();
});

t.test('a script that cannot start says why', async t => {
  await t.rejects(start({ failStart: true }), { code: 'E_ECHO' });
  await t.rejects(WorkerTurns.start(new URL('./no-such-script.js', import.meta.url), {}), /no-such-script/);
});

t.test(
  'a thread that dies fails the request under way and all later ones, even one that nobody awaits yet',
  async t => {
    const turns = await start({});
    const dying = turns.ask({ exit: 9 });
    await new Promise(resolve => setTimeout(resolve, 300));
    await t.rejects(dying, { code: 'E_WORKER', message: /code 9/ });
    await t.rejects(turns.ask({ echo: 1 }), { code: 'E_WORKER' });
    await turns.dispose();
  },
);
