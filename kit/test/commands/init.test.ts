import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import type { RobotReport } from '../../src/robot-checks.js';
import { errorOf, kit } from '../test-io.js';

const arm = [
  ...['--joint', 'pan:z:-100..100:0,0,50'],
  ...['--joint', 'lift:y:-90..90:0,0,110'],
  ...['--joint', 'elbow:y:-20..120:100,0,0:40'],
];

t.test('flags are answers enough: the folder is there, and the report says what was checked', async t => {
  const folder = join(t.testdir(), 'My_Arm');
  const said = await kit([
    '--json',
    'init',
    folder,
    '--bus',
    'feetech',
    '--gripper',
    'z:0..60',
    '--load',
    '30',
    ...arm,
  ]);
  t.equal(said.exit, 0, said.err);
  const report = JSON.parse(said.out) as RobotReport;
  t.same([report.robot, report.folder, report.passed], ['my-arm', folder, true]);
  t.same(
    report.checks.map(({ name }) => name),
    [
      'observation and action',
      'the bus keeps 50 Hz',
      "limits inside the servos' turn",
      "speeds within the servos'",
      "fingertip where MuJoCo's is",
      'goals can be drawn',
      'servos hold the arm',
      ...['pan', 'lift', 'elbow', 'gripper'].map(name => `sweep of ${name}`),
    ],
  );
  const { spec } = loadRobot(folder);
  t.equal(spec.joints[2]!.home.toFixed(3), '0.698');
  t.match(readFileSync(join(folder, 'scene.xml'), 'utf8'), 'name="load" type="sphere" size="0.006" mass="0.03"');
  const checked = await kit(['check', folder]);
  t.equal(checked.exit, 0);
  t.match(
    checked.out,
    /^my-arm in .*: 4 joints on feetech\nok {4}observation and action: 29 numbers .* and 4 \(velocity\)/,
  );
});

t.test('a file of answers, over which flags go', async t => {
  const room = t.testdir({
    'answers.json': JSON.stringify({
      bus: 'dynamixel',
      servo: 'xl330-m288',
      joints: [
        { name: 'pan', axis: 'z', rangeDeg: [-90, 90], offsetMm: [0, 0, 40] },
        { name: 'lift', axis: 'y', rangeDeg: [-80, 80], offsetMm: [0, 0, 90] },
      ],
    }),
  });
  const said = await kit([
    'init',
    join(room, 'own'),
    '--answers',
    join(room, 'answers.json'),
    '--servo',
    'lift=xl430-w250',
    '--name',
    'two',
  ]);
  t.equal(said.exit, 0, said.out + said.err);
  const { spec, site } = loadRobot(join(room, 'own'));
  t.equal(spec.name, 'two');
  t.same(
    site.servos.map(servo => 'model' in servo && servo.model),
    ['xl330-m288', 'xl430-w250'],
  );
});

t.test('a person is asked for what is missing, and again where an answer makes no sense', async t => {
  const folder = join(t.testdir(), 'asked');
  const lines = [
    ...['can', 'dynamixel', 'xl430-w250', '0,0,70'],
    ...['pan', '', '-100', '-100..100', '0,0,40'],
    ...['lift', '', '', '0,0,120'],
    ...['', 'jaw', 'z', '0..50'],
  ];
  const said = await kit(['init', folder], undefined, lines);
  t.equal(said.exit, 0, said.out + said.err);
  t.match(said.err, "'can' is not among them: take one of kitlink, feetech, dynamixel");
  t.match(said.err, "'-100' can't be read: write a range in degrees");
  const { spec, site } = loadRobot(folder);
  t.same(
    spec.joints.map(({ name }) => name),
    ['pan', 'lift', 'jaw'],
  );
  t.same(spec.frames[0], { name: 'pan-link', joint: 'pan', axis: [0, 0, 1], translationM: [0, 0, 0.07] });
  t.equal(site.bus.kind, 'dynamixel');
});

const hinge = (
  inner: string,
) => `<mujoco><worldbody><body pos="0 0 0.1"><joint name="Turn" axis="0 0 1" range="-90 90"/>
  <geom size="0.02" pos="0 0 0.02"/><body pos="0 0 0.05"><joint name="Lift" axis="0 1 0" range="-60 60"/>
  <geom type="capsule" fromto="0 0 0 0 0 0.1" size="0.01"/>${inner}</body></body></worldbody></mujoco>`;

t.test('a model: what it does not know comes from flags, or is asked for', async t => {
  const room = t.testdir({ 'arm.xml': hinge('<site name="tcp" pos="0 0 0.1"/><site name="camera"/>') });
  const from = ['--from', join(room, 'arm.xml')];
  const flags = ['--bus', 'feetech', '--fingertip', 'tcp', '--range', 'Turn=-45..45'];
  const said = await kit(['--json', 'init', join(room, 'a'), ...from, ...flags]);
  t.equal(said.exit, 0, said.out + said.err);
  const { notes } = JSON.parse(said.out) as RobotReport;
  t.same(notes, ['names of joints here: turn (Turn), lift (Lift)', 'a load of 20 g at the fingertip is added']);
  t.equal(loadRobot(join(room, 'a')).spec.joints[0]!.range[1].toFixed(4), (Math.PI / 4).toFixed(4));
  const asked = await kit(['init', join(room, 'b'), ...from], undefined, ['feetech', 'tip', 'tcp']);
  t.equal(asked.exit, 0, asked.out + asked.err);
  t.match(asked.err, /'tip' is not among them: take one of tcp, camera/);
  const unsaid = await kit(['--json', 'init', join(room, 'c'), ...from, '--bus', 'feetech']);
  t.equal(errorOf(unsaid).code, 'E_ARM_UNSAID');
  t.equal(errorOf(unsaid).hint, 'add --fingertip tcp|camera|#2|#1, or run it on a terminal');
});

t.test('an arm that its servos cannot hold is written all the same, and the command leaves with 1', async t => {
  const folder = join(t.testdir(), 'crane');
  const crane = ['--joint', 'pan:z:-90..90:0,0,40', '--joint', 'boom:y:-60..60:0,0,1500'];
  const said = await kit(['init', folder, '--bus', 'dynamixel', '--servo', 'xl330-m288', ...crane]);
  t.equal(said.exit, 1);
  t.match(said.out, /\nFAIL {2}servos hold the arm: too weak: boom needs up to \d\.\d\d of 0\.52 N·m/);
  t.match(said.out, /\nFAIL {2}sweep of boom: stands at .*: too weak, it pulls with all its 0\.54 N·m/);
  t.ok(existsSync(join(folder, 'robot.json')), 'so that it can be mended');
});

t.test('a board of two channels does not drive three servos', async t => {
  const said = await kit([
    'init',
    join(t.testdir(), 'three'),
    '--bus',
    'kitlink',
    ...arm.map(word => word.replace('-100..100', '-80..80')),
  ]);
  t.equal(said.exit, 1);
  t.match(said.out, /\nFAIL {2}the bus keeps 50 Hz: servo 'elbow' has id 2, the board has channels 0 to 1/);
});

t.test('what is wrong is refused before anything is written', async t => {
  const room = t.testdir({
    'answers.json': '{ "joints": [{ "name": "a", "axis": "z", "rangeDeg": [-90, null], "offsetMm": [1, 2, 3] }] }',
    'half.json': '{ "joints"',
    'arm.urdf': '<robot name="x"><link',
    'none.xml': '<mujoco><worldbody><geom size="1"/><site name="fingertip"/></worldbody></mujoco>',
    'rail.xml': hinge('<site name="fingertip" pos="0 0 .1"/>').replace('name="Turn"', 'name="Turn" type="slide"'),
  });
  const own = join(room, 'own');
  const feetech = ['--bus', 'feetech'];
  for (const [words, code, message] of [
    [[], 'E_ARM_UNSAID', /nobody said which bus/],
    [feetech, 'E_ARM_UNSAID', /nobody said which joints/],
    [['--answers', join(room, 'answers.json'), ...feetech], 'E_FILE_SCHEMA', /joints\[0\]\.rangeDeg\[1\]/],
    [['--answers', join(room, 'half.json'), ...feetech], 'E_FILE_JSON', /half\.json is not JSON/],
    [[...feetech, ...arm, '--servo', 'sg90'], 'E_FILE_SCHEMA', /the answers does not fit its schema:\n {2}servo/],
    [
      [...feetech, ...arm, '--servo', 'xl430-w250'],
      'E_ARM_ANSWERS',
      /xl430-w250, which does not hang on a feetech bus/,
    ],
    [[...feetech, ...arm, '--servo', 'hip=sts3215'], 'E_ARM_ANSWERS', /there is no joint 'hip'/],
    [[...feetech, '--joint', 'pan:z:-200..200:0,0,50'], 'E_ARM_ANSWERS', /400\.0° in all, and a sts3215 turns 359\.9°/],
    [[...feetech, '--joint', 'pan:z:NaN..200:0,0,50'], 'E_ARM_WORDS', /'NaN\.\.200'/],
    [[...feetech, ...arm, '--fingertip', 'x'], 'E_INIT_FLAGS', /--fingertip is for a model/],
    [
      ['--from', join(room, 'rail.xml'), ...feetech, ...arm],
      'E_INIT_FLAGS',
      /--joint describes an arm without a model/,
    ],
    [['--from', join(room, 'arm.urdf'), ...feetech], 'E_ARM_MODEL', /can't read .*arm\.urdf/],
    [['--from', join(room, 'gone.urdf'), ...feetech], 'E_ARM_MODEL', /ENOENT/],
    [['--from', join(room, 'none.xml'), ...feetech], 'E_ARM_ANSWERS', /no joint that a servo could turn/],
    [['--from', join(room, 'rail.xml'), ...feetech], 'E_ARM_ANSWERS', /'Turn' is a slide joint/],
  ] as const) {
    const said = await kit(['--json', 'init', own, ...words]);
    t.equal(said.exit, 2, words.join(' '));
    t.same([errorOf(said).code, message.test(errorOf(said).message)], [code, true], errorOf(said).message);
  }
  writeFileSync(own, '');
  t.equal(errorOf(await kit(['--json', 'init', own, ...feetech, ...arm])).code, 'E_ROBOT_TARGET');
  t.equal(errorOf(await kit(['--json', 'init', own, '--bus', 'can'])).code, 'E_USAGE');
  t.same(
    readdirSync(room).filter(name => name.startsWith('.') || name === 'own'),
    ['own'],
  );
});
