import { spawnSync } from 'node:child_process';
import t from 'tap';

// In a process of its own: the tests beside this one must not have to wait for it.
const linux = { skip: process.platform !== 'linux' && 'chrt is of Linux' };
const root = {
  skip: process.platform !== 'linux' || process.getuid?.() === 0 ? linux.skip : 'only root can become somebody else',
};

const script = `
  const { requestRealtimePriority } = await import(${JSON.stringify(import.meta.resolve('../src/realtime-priority.js'))});
  const { spawnSync } = await import('node:child_process');
  const { Worker } = await import('node:worker_threads');
  const { once } = await import('node:events');
  const asked = requestRealtimePriority();
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
  await once(worker, 'online');
  const policies = spawnSync('chrt', ['--all-tasks', '--pid', String(process.pid)], { encoding: 'utf8' }).stdout;
  await worker.terminate();
  console.log(JSON.stringify({ ...asked, policies }));
`;

function ask(options: { uid?: number; path?: string } = {}): { granted: boolean; words: string; policies: string } {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    env: { PATH: options.path ?? process.env.PATH },
    ...(options.uid !== undefined && { uid: options.uid }),
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

t.test('who may have it gets it, and who may not is told what would help', linux, async t => {
  const { granted, words, policies } = ask();
  if (granted) {
    t.match(words, /real-time priority: FIFO 50/);
    t.match(policies, /SCHED_FIFO[\s\S]*50/, 'and the system says so too');
    t.equal(policies.match(/SCHED_FIFO/g)?.length, 1, 'of one thread: a worker that starts later is an ordinary one');
  } else t.match(words, /no real-time priority \(.*\): .* To have it, allow it: .*rtprio/);
});

t.test('a user without the right is refused, and the loop is not', root, async t => {
  const { granted, words } = ask({ uid: 65534 });
  t.equal(granted, false);
  t.match(words, /no real-time priority \(.*not permitted.*\): .*limits\.d/i);
});

t.test('a system without the program says so', linux, async t => {
  t.match(ask({ path: '/nonexistent' }), { granted: false, words: /there is no program chrt.*install util-linux/ });
});
