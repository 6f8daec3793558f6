import t from 'tap';
import { isTopicFilter, isTopicName, matchesTopic } from '../../../src/rig/broker/topic-filter.js';

t.test('filters fit topics as the examples of MQTT 5, section 4.7, say', async t => {
  for (const [filter, topic, fits] of [
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/tennis/player1/#', 'sport/tennis/player2', false],
    ['sport/#', 'sport', true],
    ['#', 'sport/tennis', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['+/tennis/#', 'sport/tennis/player1', true],
    ['#', '$SYS/monitor', false],
    ['+/monitor', '$SYS/monitor', false],
    ['$SYS/#', '$SYS/monitor', true],
    ['sport', 'sport', true],
    ['sport', 'Sport', false],
    ['sport', 'sport/tennis', false],
    ['sport/tennis', 'sport', false],
  ] as const)
    t.equal(matchesTopic(filter, topic), fits, `${filter} ${topic}`);
});

t.test('a wildcard stands for a whole level, and # only at the end', async t => {
  for (const filter of ['#', '+', '/', 'a', '/a', 'a/', 'a//b', 'a/#', '/#', '+/+', '+/a/#', 'a/+/b'])
    t.ok(isTopicFilter(filter), filter);
  for (const filter of ['', 'a#', 'a/b#', 'a/#/b', '#/a', 'a+', '+a', 'a/+b', '##'])
    t.notOk(isTopicFilter(filter), filter);
});

t.test('a topic name has no wildcards', async t => {
  for (const topic of ['a', '/', '$SYS', 'a b/c']) t.ok(isTopicName(topic), topic);
  for (const topic of ['', '#', 'a/+', 'a\0b']) t.notOk(isTopicName(topic), topic);
});
