import { mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isOwnerAlive } from '@sim2servo/runtime/releases/owner';
import t from 'tap';
import { robotProgram, startRobotProgram } from '../support/robot-process.js';
import { until } from '../support/running-broker.js';

const folder = t.testdir();
const places = ['--store', join(folder, 'store'), '--robot', 'so101'];
const hello = `${JSON.stringify({ id: 1, request: { kind: 'hello', protocol: 1 } })}\n`;

t.test('it answers on standard output, and ends with its input', async t => {
  const { child, ended } = startRobotProgram(['agent', ...places]);
  child.stdin.end(`${hello}nonsense\n`);
  const { code, out, err } = await ended;
  t.equal(code, 0);
  t.equal(err, '');
  const [first, second, ...more] = out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  t.same(more, []);
  const answers = [first, second].sort((a, b) => b.id - a.id);
  t.match(answers[0], { id: 1, answer: { protocol: 1, robot: 'so101' } });
  const place: string = answers[0].answer.incoming;
  t.equal(dirname(place), join(folder, 'store', 'incoming'));
  t.equal(isOwnerAlive(basename(place)), false, 'a place of its own, that died with it');
  t.match(answers[1], { id: 0, error: { code: 'E_AGENT_REQUEST' } });
});

t.test('who kills it politely ends it in order', async t => {
  const { child, ended, said } = startRobotProgram(['agent', ...places]);
  child.stdin.write(hello);
  await until(() => said().includes('so101'));
  child.kill('SIGTERM');
  t.match(await ended, { code: 0, err: '' });
});

t.test('a robot folder that is not there is an answer, not an end', async t => {
  mkdirSync(join(folder, 'root'));
  const { child, ended } = startRobotProgram(['agent', '--root', join(folder, 'root')]);
  child.stdin.end(hello);
  const { code, out } = await ended;
  t.equal(code, 0);
  t.match(JSON.parse(out), { id: 1, error: { code: 'E_ROBOT_UNKNOWN', exit: 'usage' } });
});

t.test('a command that is none is named, with those that are', async t => {
  t.match(await robotProgram('fly'), { code: 2, out: '', err: /'fly'[\s\S]*agent, serve/ });
  t.match(await robotProgram('agent', '--fly'), { code: 2, err: /fly/ });
  t.match(await robotProgram('--help'), { code: 0, out: /sim2servo-robot agent: [\s\S]*sim2servo-robot serve: / });
});
