import t from 'tap';
import { lerobotFile, lerobotInfoSchema } from '../src/lerobot-info.js';

const info = {
  codebase_version: 'v3.0',
  fps: 30,
  total_episodes: 1,
  total_frames: 2,
  features: {},
};

t.test('files fill one chunk after the other', async t => {
  t.same(lerobotFile(0), { chunkIndex: 0, fileIndex: 0, path: 'chunk-000/file-000.parquet' });
  t.same(lerobotFile(2013), { chunkIndex: 2, fileIndex: 13, path: 'chunk-002/file-013.parquet' });
});

t.test('the names of a vector are found where any recorder puts them', async t => {
  const namesOf = (names: unknown) =>
    lerobotInfoSchema.parse({ ...info, features: { action: { dtype: 'float32', shape: [2], names } } }).features.action
      ?.names;
  t.same(namesOf(['a', 'b']), ['a', 'b']);
  t.same(namesOf({ motors: ['a', 'b'] }), ['a', 'b']);
  for (const none of [null, undefined, {}, { a: 0, b: 1 }]) t.equal(namesOf(none), null);
});

t.test('what we do not read may stand there; what we read must', async t => {
  t.match(lerobotInfoSchema.parse({ ...info, robot_type: null, videos: 3 }), { videos: 3, robot_type: null });
  for (const wrong of [{ fps: 0 }, { fps: '30' }, { features: { action: {} } }, { codebase_version: 3 }])
    t.notOk(lerobotInfoSchema.safeParse({ ...info, ...wrong }).success, JSON.stringify(wrong));
});
