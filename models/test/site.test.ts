import t, { type Test } from 'tap';
import { parseJson } from '../src/json-file.js';
import { silenceMs, siteOn, siteSchema } from '../src/site.js';
import { desk2SiteJson } from './arms.js';

const read = (json: unknown) => parseJson(JSON.stringify(json), siteSchema, 'site');

/** desk2's site with one place changed is refused with a complaint about `path`. */
function refused(t: Test, path: string, change: (json: ReturnType<typeof desk2SiteJson>) => void, about = ''): void {
  const json = desk2SiteJson();
  change(json);
  const pattern = new RegExp(`\n  ${path.replace(/[[\]().]/g, '\\$&')}: .*${about}`);
  t.throws(() => read(json), { code: 'E_FILE_SCHEMA', exit: 'usage', message: pattern }, `${path} ${about}`);
}

t.test('what is left out has the default that the documents name', async t => {
  const site = read({ ...desk2SiteJson(), bus: { kind: 'kitlink' } });
  const { bus, servos } = siteOn(site, 'kitlink');
  t.same(bus, { kind: 'kitlink', baudRate: 500_000, deadlineMs: 60 });
  t.same(site.trustedKeys, []);
  t.equal(servos[0]?.offsetRad, 0);
});

t.test('an unknown key is refused wherever it stands, by name', async t => {
  const more = (part: object) => Object.assign(part, { colour: 'red' });
  refused(t, '(top level)', json => more(json), '"colour"');
  refused(t, 'bus', json => more(json.bus), '"colour"');
  refused(t, 'servos[1]', json => more(json.servos[1]!), '"colour"');
  refused(t, 'servos[1].feedback', json => more(json.servos[1]!.feedback), '"colour"');
});

t.test('a servo id that stands twice is refused', async t => {
  refused(t, 'servos[1].id', json => Object.assign(json.servos[1]!, { id: 0 }), 'servo id 0 stands twice');
});

t.test('a joint with two servos is refused', async t => {
  refused(
    t,
    'servos[1].joint',
    json => Object.assign(json.servos[1]!, { joint: 'shoulder' }),
    "'shoulder' has two servos",
  );
});

t.test('pulses that no servo understands are refused', async t => {
  refused(t, 'servos[0].pulseUs[0]', json => Object.assign(json.servos[0]!, { pulseUs: [400, 2400] }));
  refused(t, 'servos[0].pulseUs[1]', json => Object.assign(json.servos[0]!, { pulseUs: [600, 2600] }));
  refused(t, 'servos[0].pulseUs[1]', json => Object.assign(json.servos[0]!, { pulseUs: [600, 2000.5] }));
  refused(t, 'servos[0].pulseUs', json => Object.assign(json.servos[0]!, { pulseUs: [1500, 1500] }), 'must differ');
});

t.test('pulses and counts may run downwards, angles may not', async t => {
  t.doesNotThrow(() => read(desk2SiteJson()), 'the elbow’s do');
  refused(t, 'servos[0].angleRad', json => json.servos[0]!.angleRad.reverse(), 'comes first');
});

t.test('counts that a 10-bit converter cannot give are refused', async t => {
  for (const [end, counts] of [
    [0, [-1, 900]],
    [1, [90, 1024]],
  ] as const)
    refused(t, `servos[0].feedback.counts[${end}]`, json => Object.assign(json.servos[0]!.feedback, { counts }));
  refused(
    t,
    'servos[0].feedback.counts',
    json => Object.assign(json.servos[0]!.feedback, { counts: [5, 5] }),
    'differ',
  );
});

t.test('ids and times stay within what the bus can carry', async t => {
  for (const id of [-1, 254, 0.5]) refused(t, 'servos[0].id', json => Object.assign(json.servos[0]!, { id }));
  for (const deadlineMs of [19, 501, 60.5])
    refused(t, 'bus.deadlineMs', json => Object.assign(json.bus, { deadlineMs }));
  refused(t, 'bus.baudRate', json => Object.assign(json.bus, { baudRate: 0 }));
});

t.test('a port that is named has a name', async t => {
  refused(t, 'bus.port', json => Object.assign(json.bus, { port: '' }));
  const site = read({ ...desk2SiteJson(), bus: { kind: 'kitlink', port: '/dev/ttyUSB0' } });
  t.equal(siteOn(site, 'kitlink').bus.port, '/dev/ttyUSB0');
});

t.test('buses and servos of other kinds are refused', async t => {
  refused(t, 'bus.kind', json => Object.assign(json.bus, { kind: 'can' }));
  refused(t, 'servos[0].kind', json => Object.assign(json.servos[0]!, { kind: 'stepper' }));
  refused(t, 'servos', json => Object.assign(json, { servos: [] }));
  refused(t, 'format', json => Object.assign(json, { format: 'sim2servo/site@0' }));
});

t.test('a trusted key is a minisign public key, or the mistake shows here and not at the first policy', async t => {
  const key = 'RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3'; // the one in minisign's own manual
  t.same(read({ ...desk2SiteJson(), trustedKeys: [key] }).trustedKeys, [key]);
  for (const wrong of ['', 'hello', key.slice(1), `${key}A`, key.replace('RWQ', 'RWA'), `untrusted comment: x\n${key}`])
    refused(t, 'trustedKeys[0]', json => Object.assign(json, { trustedKeys: [wrong] }), 'minisign public key');
});

t.test('a revoked key is named by its id, as the .pub file and every message does', async t => {
  t.same(read(desk2SiteJson()).revokedKeys, []);
  t.same(read({ ...desk2SiteJson(), revokedKeys: ['68D5695585BA7167'] }).revokedKeys, ['68D5695585BA7167']);
  for (const wrong of ['', '68d5695585ba7167', '68D5695585BA716', '0x8D5695585BA7167', 'RWQf6LRCGA9i53mlYecO4IzT51TG'])
    refused(t, 'revokedKeys[0]', json => Object.assign(json, { revokedKeys: [wrong] }), 'the id of a minisign key');
});

const counted = { kind: 'feetech', model: 'sts3215', joint: 'shoulder-pan', id: 1, zeroCount: 2048, direction: 1 };
const onBus = (bus: object, servos: object[]) => ({ format: 'sim2servo/site@1', bus, servos });

t.test('a bus of servos that count by themselves has its own defaults', async t => {
  const feetech = read(onBus({ kind: 'feetech' }, [counted]));
  t.same(feetech.bus, { kind: 'feetech', baudRate: 1_000_000, leadMs: 100 });
  t.equal(silenceMs(feetech.bus), 100);
  const dynamixel = read(
    onBus({ kind: 'dynamixel', deadlineMs: 60 }, [{ ...counted, kind: 'dynamixel', model: 'xl330-m288' }]),
  );
  t.same(dynamixel.bus, { kind: 'dynamixel', baudRate: 1_000_000, deadlineMs: 60 });
  t.throws(() => siteOn(dynamixel, 'kitlink'), { code: 'E_BUS_KIND', message: /a dynamixel bus, and a kitlink bus/ });
});

t.test('what does not fit such a bus is refused, by place', async t => {
  const place = (site: object) => siteSchema.safeParse(site).error?.issues.map(({ path }) => path.join('.'));
  t.same(place(onBus({ kind: 'kitlink' }, [counted])), ['servos.0.kind'], 'a servo of another bus');
  t.same(place(onBus({ kind: 'feetech' }, [{ ...counted, zeroCount: 4096 }])), ['servos.0.zeroCount']);
  t.same(place(onBus({ kind: 'feetech' }, [{ ...counted, direction: 0 }])), ['servos.0.direction']);
  t.same(place(onBus({ kind: 'feetech' }, [counted, { ...counted, joint: 'elbow' }])), ['servos.1.id'], 'an id twice');
  const other = { ...counted, kind: 'dynamixel', model: 'xl330-m288' };
  t.same(place(onBus({ kind: 'dynamixel', deadlineMs: 50 }, [other])), ['bus.deadlineMs'], 'steps of 20 ms');
});

t.test('behind a broker no servo is needed here, and any may stand here', async t => {
  const bus = { kind: 'mqtt', broker: 'mqtts://broker.lan:8883', ca: 'ca.pem' };
  const { servos: _, ...bare } = onBus(bus, []);
  const site = read(bare);
  t.same(site.bus, { ...bus, deadlineMs: 100 });
  t.same(site.servos, []);
  t.equal(silenceMs(site.bus), 100);
  t.same(siteOn(read(onBus(bus, [counted])), 'mqtt').servos, [counted]);
});

t.test('what is no broker, or no name for a topic, is refused by place', async t => {
  const place = (bus: object) =>
    siteSchema.safeParse(onBus({ kind: 'mqtt', broker: 'mqtt://pi', ...bus }, [])).error?.issues[0]?.path.join('.');
  t.equal(place({}), undefined);
  for (const broker of ['pi', 'http://pi', 'mqtt://', 'mqtt://pi/desk2', 'mqtt://p i'])
    t.equal(place({ broker }), 'bus.broker', broker);
  for (const name of ['', 'a/b', '+', '#', 'a b']) t.equal(place({ name }), 'bus.name', name);
  for (const deadlineMs of [19, 501]) t.equal(place({ deadlineMs }), 'bus.deadlineMs');
});
